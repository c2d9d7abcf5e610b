import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, type ChatServer, type ChatServerOptions } from '../support/chat.server.js';

const PAYMENT = z.object({ to: z.string(), amount: z.number() });

/** @param hold what a payment waits for before it is made */
function paymentsThat(hold: () => Promise<void>) {
  @Injectable()
  class Payments {
    @AgentTool({
      name: 'pay',
      label: ({ to }) => `Paying ${to}…`,
      description: 'Pays.',
      input: PAYMENT,
      approval: { when: ({ amount }) => amount > 10 },
      expose: { input: true, output: true },
    })
    async pay({ to, amount }: z.output<typeof PAYMENT>): Promise<string> {
      await hold();
      return `${amount} to ${to}`;
    }
  }
  return Payments;
}

/** Makes a call for each amount in the message, and then says what came of them. */
function payer(): ScriptedModel {
  return new ScriptedModel((messages) => {
    const answers = findToolMessages(messages);
    if (answers.length > 0) return { chunks: answers.map(({ text }) => `[${text}]`) };
    const amounts = messages.at(-1)?.text.match(/\d+/g) ?? [];
    if (amounts.length === 0) return { chunks: ['Well.'] };
    const calls = amounts.map((amount, index) => ({
      id: `call${index}`,
      name: 'pay',
      args: `{"to":"Eve","amount":${amount}}`,
    }));
    return { chunks: ['Let me pay.'], calls };
  });
}

type PayingOptions = ChatServerOptions & { readonly hold?: () => Promise<void> };

/** Starts servers with all protocols, whose agent `chat` pays; more than 10 has to be approved. Closed after each test. */
export function payingServers(): (options?: PayingOptions) => Promise<ChatServer> {
  const start = chatServers();
  return ({ hold = () => Promise.resolve(), ...options } = {}) =>
    start({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Pays.', model: payer() })],
      tools: [paymentsThat(hold)],
      protocols: {},
      ...options,
    });
}

/** The runs of a thread, as the native API has them: how often something went on. */
export async function listRuns(
  server: ChatServer,
  threadId: string,
  headers?: Record<string, string>,
): Promise<readonly string[]> {
  const { body } = await server.call('GET', `/threads/${threadId}`, undefined, headers);
  const messages = body['messages'] as readonly { role: string; runId: string }[];
  return messages.flatMap(({ role, runId }) => (role === 'assistant' ? [runId] : []));
}
