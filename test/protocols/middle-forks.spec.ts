import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

interface Page {
  readonly messages: readonly { readonly role: string; readonly text: string }[];
  readonly nextCursor?: string;
}

const said = ({ messages }: Page) => messages.map(({ text }) => text);

type UiMessages = readonly {
  readonly role: string;
  readonly parts: readonly { readonly type: string; readonly text?: string }[];
}[];

const toPage = (messages: UiMessages): Page => ({
  messages: messages.map(({ role, parts }) => ({ role, text: parts.map(({ text = '' }) => text).join('') })),
});

/** Speaks twice, one step after the other. */
const graph = new StateGraph(
  Annotation.Root({
    ...MessagesAnnotation.spec,
    count: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  }),
)
  .addNode('speak', ({ messages, count }) => ({
    messages: [
      new AIMessage(`${messages.findLast((each) => each.getType() === 'human')?.text} ${count + 1}.`),
    ],
    count: count + 1,
  }))
  .addEdge(START, 'speak')
  .addConditionalEdges('speak', ({ count }) => (count % 2 === 0 ? END : 'speak'), ['speak', END])
  .compile();

describe.each(['memory', ...SHARED_KINDS] as const)('a fork from the middle of a run on %s', (kind) => {
  const start = chatServers();
  const storages = testStorages();
  const serve = async () => {
    const server = await start({
      storage: kind === 'memory' ? new MemoryStorage() : await storages.make(kind),
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'speaker',
          description: 'Speaks.',
          graph: graph as never,
          keepsStates: true,
          takesStateChanges: true,
        }),
      ],
      protocols: {},
      throttling: { startsPerMinute: 1_000 },
    });
    const client = new Client({
      apiUrl: `${server.origin}/protocols/langgraph`,
      apiKey: null,
      callerOptions: { maxRetries: 0 },
    });
    const { thread_id } = await client.threads.create();
    const ask = (content: string, checkpointId?: string) =>
      client.runs.wait(thread_id, 'speaker', {
        input: { messages: [{ type: 'human', content }] },
        ...(checkpointId !== undefined && { checkpointId }),
      });
    /** The state after the first thing that was said in the thread's newest run. */
    const findMiddle = async () => {
      const states = await client.threads.getHistory<{ messages: { content: string }[] }>(thread_id);
      const middle = states.find(({ values }) => values.messages.at(-1)?.content.endsWith(' 1.'));
      return middle?.checkpoint.checkpoint_id ?? '';
    };
    const read = async (query = ''): Promise<Page> =>
      (await (await fetch(`${server.url}/threads/${thread_id}${query}`)).json()) as Page;
    const readUiMessages = async () => {
      const reply = await fetch(`${server.origin}/protocols/ai-sdk/chat/${thread_id}/messages`);
      return said(toPage((await reply.json()) as UiMessages));
    };
    /** The messages that a client of AG-UI is shown first when it joins the thread. */
    const readAgUiMessages = async () => {
      const body = {
        threadId: thread_id,
        runId: 'joined',
        messages: [],
        tools: [],
        context: [],
        state: {},
        protocolVersion: '1.0',
      };
      const url = `${server.origin}/protocols/ag-ui/connect`;
      const stream = await EventStream.open(url, { method: 'POST', body });
      await stream.closed();
      const snapshot = stream.events.find(({ data }) => data['type'] === 'MESSAGES_SNAPSHOT')!;
      return (snapshot.data['messages'] as readonly { content: string }[]).map(({ content }) => content);
    };
    return { ask, findMiddle, read, readUiMessages, readAgUiMessages, client, threadId: thread_id };
  };

  it('shows the earlier answer up to there, on one page and on several', async () => {
    const { ask, findMiddle, read, readUiMessages, readAgUiMessages } = await serve();
    await ask('One');
    const middle = await findMiddle();
    expect(said(await read())).toEqual(['One', 'One 1.One 2.']);
    await ask('Two', middle);
    expect(said(await read())).toEqual(['One', 'One 1.', 'Two', 'Two 2.']);
    expect(await readUiMessages()).toEqual(['One', 'One 1.', 'Two', 'Two 2.']);
    expect(await readAgUiMessages()).toEqual(['One', 'One 1.', 'Two', 'Two 2.']);
    const newest = await read('?limit=1');
    expect(said(newest)).toEqual(['Two', 'Two 2.']);
    const cursor = encodeURIComponent(newest.nextCursor ?? '');
    expect(said(await read(`?limit=1&cursor=${cursor}`))).toEqual(['One', 'One 1.']);
  });

  it('shows a client of AG-UI no answer where the branch goes on before the first words', async () => {
    const { ask, read, readAgUiMessages, client, threadId } = await serve();
    await ask('One');
    const states = await client.threads.getHistory<{ messages: { content: string }[] }>(threadId);
    const asked = states.find(({ values }) => values.messages.length === 1);
    await ask('Two', asked?.checkpoint.checkpoint_id ?? '');
    expect(said(await read())).toEqual(['One', '', 'Two', 'Two 1.Two 2.']);
    expect(await readAgUiMessages()).toEqual(['One', 'Two', 'Two 1.', 'Two 2.']);
  });

  it('shows the whole answer where the branch goes on from its end', async () => {
    const { ask, findMiddle, read, client, threadId } = await serve();
    await ask('One');
    const middle = await findMiddle();
    const end = (await client.threads.getState(threadId)).checkpoint.checkpoint_id ?? '';
    await ask('Two', end);
    await ask('Three', middle);
    expect(said(await read())).toEqual(['One', 'One 1.', 'Three', 'Three 2.']);
    const newest = await read('?limit=1');
    const cursor = encodeURIComponent(newest.nextCursor ?? '');
    expect(said(await read(`?limit=1&cursor=${cursor}`))).toEqual(['One', 'One 1.']);
    const [, second] = await client.runs.list(threadId);
    expect(said(await read(`?runId=${second?.run_id}`))).toEqual([
      'One',
      'One 1.One 2.',
      'Two',
      'Two 3.Two 4.',
    ]);
  });
});
