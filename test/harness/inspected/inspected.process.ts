import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createAgent, modelRetryMiddleware } from 'langchain';
import { z } from 'zod';
import { LangGraphAgent, toolMiddleware } from '../../../src/agents/langgraph/index.js';
import { addEdge } from '../../../src/app/bootstrap.js';
import { loadConfig } from '../../../src/app/config.js';
import { createLog } from '../../../src/app/log.js';
import { ChatModule } from '../../../src/chat/chat.module.js';
import { AgentTool, type AgentKit } from '../../../src/index.js';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite.storage.js';
import { callPiece, StreamingModel, usagePiece, type WrittenCall } from '../streaming.model.js';

/**
 * A server with an agent that does all that an inspector shows: a sub-agent, a model call that fails and is made again, two tools at once of
 * which one fails, and a payment that a person approves. Its first life stops in the middle of the sub-agent's words, and its second in
 * the middle of a tool, until they are killed.
 */
const { directory, life } = JSON.parse(process.argv[2] ?? '{}') as { directory: string; life: number };

/** Waits until the process is killed. */
const hang = (signal: AbortSignal | undefined) => pause(600_000, undefined, { ...(signal && { signal }) });

@Injectable()
class Tools {
  @AgentTool({
    name: 'rates',
    label: 'Reading the exchange rates',
    description: 'Reads rates.',
    input: z.object({ currency: z.string() }),
    expose: { input: true, output: true },
  })
  async rates({ currency }: { currency: string }, { signal }: { signal: AbortSignal }): Promise<string> {
    if (life === 2) await hang(signal);
    await pause(150);
    return `1 ${currency} = 1.17 EUR`;
  }

  @AgentTool({
    name: 'news',
    label: 'Looking for news',
    description: 'Looks for news.',
    input: z.object({}),
  })
  async news(): Promise<never> {
    await pause(60);
    throw new Error('No news.');
  }

  @AgentTool({
    name: 'pay',
    label: ({ to }) => `Paying ${to}`,
    description: 'Pays.',
    input: z.object({ to: z.string(), amount: z.number() }),
    approval: true,
    expose: { input: true, output: true },
  })
  async pay({ to, amount }: { to: string; amount: number }): Promise<string> {
    await pause(40);
    return `${to} has ${amount} EUR`;
  }
}

/** An answer of a model: words, calls, and what stops it. */
interface Answer {
  readonly words?: string;
  readonly calls?: readonly WrittenCall[];
  readonly stalls?: boolean;
  readonly failure?: Error;
}

/** Says its words one after the other, as a model does. */
class Speaker extends StreamingModel {
  private calls = 0;

  constructor(private readonly answer: (messages: readonly BaseMessage[], call: number) => Answer) {
    super();
  }

  override getLsParams(options: this['ParsedCallOptions']) {
    return { ...super.getLsParams(options), ls_model_name: 'speaker-1' };
  }

  override _llmType(): string {
    return 'speaker';
  }

  protected override async *speak(messages: readonly BaseMessage[], signal: AbortSignal | undefined) {
    const { words = '', calls = [], stalls, failure } = this.answer(messages, ++this.calls);
    const chunks = words.split(/(?<= )/);
    await pause(40);
    for (const content of chunks) {
      await pause(15);
      yield new AIMessageChunk({ content });
    }
    if (stalls) await hang(signal);
    if (failure) throw failure;
    yield* calls.map(callPiece);
    yield usagePiece(chunks.length);
  }
}

const research = (): Answer =>
  life === 1
    ? { words: 'The invoice of Eve is due ', stalls: true }
    : { words: 'The invoice of Eve is due on Friday, and it is in pounds. ' };

function assist(messages: readonly BaseMessage[], call: number): Answer {
  if (call === 1) return { words: 'Let me ', failure: new Error('The provider is overloaded.') };
  const called = messages.filter((message) => ToolMessage.isInstance(message)).map(({ name }) => name);
  if (called.includes('pay')) return { words: 'Eve is paid. The rate was 1.17, and no news matter.' };
  if (called.includes('rates'))
    return { calls: [{ id: 'call-pay', name: 'pay', args: '{"to":"Eve","amount":500}' }] };
  return {
    words: 'I look up the rates and the news. ',
    calls: [
      { id: 'call-rates', name: 'rates', args: '{"currency":"GBP"}' },
      { id: 'call-news', name: 'news', args: '{}' },
    ],
  };
}

function createGraph({ tools, tracking }: AgentKit) {
  const researcher = createAgent({ model: new Speaker(research), tools: [] });
  const assistant = createAgent({
    model: new Speaker(assist),
    middleware: [
      modelRetryMiddleware({ maxRetries: 1, initialDelayMs: 100, jitter: false }),
      toolMiddleware(tools, tracking),
    ],
  });
  return new StateGraph(MessagesAnnotation)
    .addNode('researcher', researcher.graph)
    .addNode('assistant', assistant.graph)
    .addEdge(START, 'researcher')
    .addEdge('researcher', 'assistant')
    .addEdge('assistant', END)
    .compile();
}

const module = ChatModule.forRoot({
  storage: new SqliteStorage({ directory }),
  auth: { kind: 'local' },
  agents: (kit) => [
    new LangGraphAgent({
      ...kit,
      name: 'bookkeeper',
      description: 'Pays invoices.',
      graph: createGraph(kit),
    }),
  ],
  tools: [Tools],
  prices: { currency: 'EUR', models: { 'speaker-*': { input: 2, output: 700 } } },
  drainMs: 0,
});
const app = await NestFactory.create<NestExpressApplication>(module, {
  logger: false,
  abortOnError: false,
  bodyParser: false,
});
addEdge(app, loadConfig({}), createLog({ level: 'silent' }));
const server: Server = await app.listen(0, '127.0.0.1');
process.send?.({ port: (server.address() as AddressInfo).port });
// Without its parent nobody would ever end it.
process.on('disconnect', () => process.exit(1));
