import { describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, RemoveMessage, type BaseMessageLike } from '@langchain/core/messages';
import { MessagesAnnotation, REMOVE_ALL_MESSAGES, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message } from '@langchain/langgraph-sdk';
import { LangGraphAgent, type LangGraphAgentOptions } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const start = chatServers();
const storages = testStorages();

/** Writes a draft, and what a critic says of it, who speaks as the person does. */
const reflecting = new StateGraph(MessagesAnnotation)
  .addNode('draft', () => ({ messages: [new AIMessage('A draft.')] }))
  .addNode('criticize', ({ messages: [question] }) => {
    const said: BaseMessageLike[] = [
      'Make it shorter.',
      new HumanMessage({ id: 'louder', content: 'Louder.' }),
    ];
    // What was there before is handed on, too.
    return { messages: [...(question ? [question] : []), ...said] };
  })
  .addNode('answer', () => ({ messages: [new AIMessage('A DRAFT.')] }))
  .addEdge(START, 'draft')
  .addEdge('draft', 'criticize')
  .addEdge('criticize', 'answer')
  .compile();

/** Puts a summary in the place of all that was said. */
const summarizing = new StateGraph(MessagesAnnotation)
  .addNode('sum', () => ({
    messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), new HumanMessage('A summary.')],
  }))
  .addNode('answer', () => ({ messages: [new AIMessage('Yes.')] }))
  .addEdge(START, 'sum')
  .addEdge('sum', 'answer')
  .compile();

const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const said = ({ messages }: { readonly messages?: readonly Message[] }) =>
  (messages ?? []).map(({ type, content }) => `${type}: ${content as string}`);

describe.each(['memory', ...SHARED_KINDS] as const)("messages in the person's name on %s", (kind) => {
  const serve = async (
    graph: unknown,
    options: Partial<LangGraphAgentOptions> = { exposeState: true },
  ): Promise<Client<{ messages: Message[] }>> => {
    const storage = kind === 'memory' ? new MemoryStorage() : await storages.make(kind);
    const server = await start({
      storage,
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'graph',
          description: 'Answers.',
          graph: graph as never,
          ...options,
        }),
      ],
      protocols: {},
    });
    const apiUrl = `${server.origin}/protocols/langgraph`;
    return new Client({ apiUrl, apiKey: null, callerOptions: { maxRetries: 0 } });
  };
  const answer = async (client: Client, streamMode: 'updates' | 'values' = 'values') => {
    const { thread_id: threadId } = await client.threads.create();
    const chunks: { event: string; data: unknown }[] = [];
    for await (const chunk of client.runs.stream(threadId, 'graph', { input: human('Write!'), streamMode }))
      chunks.push(chunk);
    return { threadId, chunks };
  };
  const WHOLE = [
    'human: Write!',
    'ai: A draft.',
    'human: Make it shorter.',
    'human: Louder.',
    'ai: A DRAFT.',
  ];

  it('are in the values, the updates and the state of a graph that shows its messages', async () => {
    const client = await serve(reflecting);
    const { threadId, chunks } = await answer(client);
    expect(said(chunks.at(-1)?.data as never)).toEqual(WHOLE);
    const { values } = await client.threads.getState(threadId);
    expect(said(values)).toEqual(WHOLE);
    expect(values.messages[3]?.id).toBe('louder');
    const updates = (await answer(client, 'updates')).chunks.filter(({ event }) => event === 'updates');
    expect(updates.map(({ data }) => data)).toMatchObject([
      { draft: { messages: [{ content: 'A draft.' }] } },
      { criticize: { messages: [{ content: 'Make it shorter.' }, { content: 'Louder.' }] } },
      { answer: { messages: [{ content: 'A DRAFT.' }] } },
    ]);
  });

  it('stay in the conversation in the next run, and can be changed by their ids', async () => {
    const client = await serve(reflecting, { exposeState: ['messages'], takesStateChanges: true });
    const { threadId } = await answer(client);
    const { values } = await client.threads.getState(threadId);
    const { id } = values.messages[2]!;
    const messages = [{ type: 'human', id, content: 'Make it longer.' }];
    await client.threads.updateState(threadId, { values: { messages }, asNode: 'answer' });
    const next = await client.runs.wait(threadId, 'graph', { input: human('Again!') });
    expect(said(next as never).slice(0, 6)).toEqual([
      ...WHOLE.with(2, 'human: Make it longer.'),
      'human: Again!',
    ]);
  });

  it('are those of each state, where a graph keeps them all', async () => {
    const client = await serve(reflecting, { exposeState: true, keepsStates: true });
    const { threadId } = await answer(client);
    const history = await client.threads.getHistory(threadId);
    expect(history.map(({ values }) => said(values).length)).toEqual([5, 4, 2, 1, 0]);
  });

  it('are hidden by default, where messages are held back, and where they stand for all before them', async () => {
    const hidden = WHOLE.filter((text) => text !== 'human: Make it shorter.' && text !== 'human: Louder.');
    for (const options of [{}, { exposeState: false }, { exposeState: true, holdMessages: true }]) {
      const client = await serve(reflecting, options);
      const { threadId } = await answer(client);
      expect(said((await client.threads.getState(threadId)).values)).toEqual(hidden);
    }
    const client = await serve(summarizing);
    const { threadId } = await answer(client);
    expect(said((await client.threads.getState(threadId)).values)).toEqual(['human: Write!', 'ai: Yes.']);
  });
});
