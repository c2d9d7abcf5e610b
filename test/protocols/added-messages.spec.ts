import { describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';
import { getSnapshot, langGraphHooks, shows, type Hook } from './langgraph-hooks.js';

const storages = testStorages();

/** Asks, and says how many messages it then knows. */
const asking = (heard: (messages: readonly BaseMessage[]) => void) =>
  new StateGraph(MessagesAnnotation)
    .addNode('ask', () => ({ messages: [new AIMessage(`Answer: ${String(interrupt('Shall I?'))}.`)] }))
    .addNode('count', ({ messages }) => {
      heard(messages);
      return { messages: [new AIMessage('Done.')] };
    })
    .addEdge(START, 'ask')
    .addEdge('ask', 'count')
    .compile();

const CARD = { type: 'ai', content: 'Please review.', response_metadata: { cards: { kind: 'review' } } };

describe.each(SHARED_KINDS)('messages that come with an answer, stored in %s', (kind) => {
  // Closed in this order after each test: clients that reconnect at once would never leave a server that is closing.
  const makeHook = langGraphHooks();
  const start = chatServers();

  const serve = async (heard: (messages: readonly BaseMessage[]) => void = () => undefined) =>
    start({
      storage: await storages.make(kind),
      agents: (kit) => [
        new LangGraphAgent({ ...kit, name: 'chat', description: 'Asks.', graph: asking(heard) as never }),
      ],
      protocols: {},
    });

  const askedHook = async (server: ChatServer, input: object): Promise<Hook> => {
    const hook = makeHook({ client: clientOf(server), assistantId: 'chat', threadId: null });
    await hook.submit(input);
    await shows(hook, () => getSnapshot(hook).interrupts.length === 1);
    return hook;
  };

  it('are in the conversation once, as they were sent, and in the state of the graph', async () => {
    const heard: (readonly BaseMessage[])[] = [];
    const server = await serve((messages) => heard.push(messages));
    const hook = await askedHook(server, { messages: [{ type: 'human', content: 'Go!' }] });
    await hook.respond('yes', { update: { messages: [CARD] } });
    await shows(
      hook,
      () => getSnapshot(hook).messages.at(-1)?.text === 'Done.' && !getSnapshot(hook).isLoading,
    );

    const isCard = ({ response_metadata }: { response_metadata?: unknown }) =>
      (response_metadata as { cards?: unknown } | undefined)?.cards !== undefined;
    expect(heard.map((messages) => messages.filter(isCard).map(({ text }) => text))).toEqual([
      ['Please review.'],
    ]);
    const texts = ['Go!', 'Please review.', 'Answer: yes.', 'Done.'];
    expect(getSnapshot(hook).messages.map(({ text }) => text)).toEqual(texts);
    const state = await clientOf(server).threads.getState<{ messages: (typeof CARD)[] }>(
      String(getSnapshot(hook).threadId),
    );
    expect(state.values.messages.map(({ content }) => content)).toEqual(texts);
    expect(state.values.messages.filter(isCard)).toMatchObject([CARD]);

    // The next turn of the graph has it still.
    await hook.submit({ messages: [{ type: 'human', content: 'Again!' }] });
    await shows(hook, () => getSnapshot(hook).interrupts.length === 1);
    expect(getSnapshot(hook).messages.map(({ text }) => text)).toEqual([...texts, 'Again!']);
  });

  it('are refused with a call of a tool, with other keys, and where they are too large; then the answer can still be given', async () => {
    const server = await serve();
    // A key that the graph does not have is left out, as on LangGraph's servers.
    const hook = await askedHook(server, { messages: [{ type: 'human', content: 'Go!' }], unknown: 1 });
    const threadId = String(getSnapshot(hook).threadId);
    const [{ id }] = getSnapshot(hook).interrupts as [{ id: string }];
    const respond = (update: unknown) =>
      fetch(`${server.origin}/protocols/langgraph/threads/${threadId}/commands`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          id: 1,
          method: 'input.respond',
          params: { interrupt_id: id, response: 'yes', update },
        }),
      }).then((reply) => reply.json() as Promise<{ type: string; message: string }>);
    const call = { type: 'tool_call', id: 'c', name: 'pay', args: {} };
    for (const [update, reason] of [
      [{ messages: [{ ...CARD, tool_calls: [call] }] }, 'tool_calls'],
      [{ messages: [{ ...CARD, content: [call] }] }, 'content'],
      [{ messages: [{ type: 'tool', content: 'Paid.', tool_call_id: 'c' }] }, 'type'],
      [{ messages: [CARD], paid: true }, 'paid'],
      [{ messages: [{ ...CARD, content: 'x'.repeat(70_000) }] }, 'bytes'],
    ] as const)
      expect(await respond(update)).toMatchObject({
        type: 'error',
        message: expect.stringContaining(reason) as unknown,
      });
    expect(
      await respond({ messages: [{ ...CARD, additional_kwargs: { tool_calls: [call] } }] }),
    ).toMatchObject({
      type: 'success',
    });
    await shows(hook, () => getSnapshot(hook).messages.at(-1)?.text === 'Done.');
    // As a name: the letters alone may be part of an id.
    const { values } = await clientOf(server).threads.getState(threadId);
    expect(JSON.stringify(values)).not.toMatch(/"pay\\?"/);
  });
});

const clientOf = (server: ChatServer) =>
  new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });
