import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import {
  entrypoint,
  getStore,
  InMemoryStore,
  MessagesAnnotation,
  START,
  StateGraph,
  task,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import { createAgent, tool, type ToolRuntime } from 'langchain';
import { z } from 'zod';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { GraphStore } from '../../src/agents/langgraph/graph-store.js';
import type { StoreOptions } from '../../src/agents/agent-store.js';
import {
  call,
  closeStacks,
  graphAgent,
  noteTool,
  scripted,
  stackWith,
  type CreateAgent,
  type Stack,
} from '../../src/agents/langgraph/langgraph-stack.testing.js';
import { findToolMessages } from '../../src/agents/langgraph/langgraph.testing.js';
import { foldRun, getText } from '../../src/events/run-view.js';
import type { Owner } from '../../src/principal.js';
import type { Storage } from '../../src/storage/storage.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const storages = testStorages();
const opened: Storage[] = [];

async function opening(storage: Storage): Promise<Storage> {
  opened.push(storage);
  await storage.open();
  return storage;
}

afterEach(async () => {
  await closeStacks();
  for (const storage of opened.splice(0)) await storage.close();
});

const withStore =
  (graph: unknown, options: StoreOptions = {}): CreateAgent =>
  (storage, tracking, registry) =>
    graphAgent(graph, { store: { ...options, items: storage.items } })(storage, tracking, registry);

/** Asks as somebody, in a thread of its own. */
async function answer(
  { runs, readLog }: Stack,
  message: string,
  owner: Owner = { tenant: 'acme', userId: 'ada' },
): Promise<string> {
  const { id } = await runs.start({ principal: { ...owner, roles: [] }, message });
  return getText(foldRun(id, await readLog(id)));
}

type Config = LangGraphRunnableConfig;
type State = typeof MessagesAnnotation.State;

const said = ({ messages }: State) => messages.at(-1)?.text ?? '';
const saying = (text: string) => ({ messages: [new AIMessage(text)] });

/** Remembers what is said, and answers with all that it remembers. */
async function remember(store: Config['store'], words: string): Promise<string> {
  await store?.put(['said'], words, { words });
  const items = (await store?.search(['said'], { limit: 100 })) ?? [];
  return items.map(({ key }) => key).join(', ');
}

const oneNode = (node: (state: State, config: Config) => Promise<object>) =>
  new StateGraph(MessagesAnnotation).addNode('remember', node).addEdge(START, 'remember');

const noting = oneNode(async (state, { store }) => saying(await remember(store, said(state))));

describe.each(SHARED_KINDS)('a graph with a store over %s', (kind) => {
  const open = async () => opening(await storages.make(kind));

  it("lets an agent's tool write with runtime.store and read in another thread", async () => {
    const note = tool(
      ({ note: words }, { store }: ToolRuntime) => remember(store as unknown as Config['store'], words),
      {
        name: 'note',
        description: 'Notes.',
        schema: z.object({ note: z.string() }),
      },
    );
    const model = scripted((messages) => {
      const [result] = findToolMessages(messages);
      return result
        ? { chunks: [result.text] }
        : { calls: [call('c1', 'note', JSON.stringify({ note: messages.at(-1)?.text }))] };
    });
    const stack = await stackWith(withStore(createAgent({ model, tools: [note] })), {
      storage: await open(),
    });
    expect(await answer(stack, 'tea')).toBe('tea');
    expect(await answer(stack, 'cake')).toBe('tea, cake');
  });

  it('gives nodes the store by config and by getStore, without a queue before it', async () => {
    const seen: unknown[] = [];
    const graph = oneNode(async (state, { store }) => {
      seen.push(store, getStore());
      return saying(await remember(getStore(), said(state)));
    });
    const stack = await stackWith(withStore(graph.compile()), { storage: await open() });
    expect(await answer(stack, 'one')).toBe('one');
    expect(await answer(stack, 'two')).toBe('one, two');
    expect(seen).toHaveLength(4);
    for (const store of seen) expect(store).toBeInstanceOf(GraphStore);
  });

  it('gives functional graphs and their tasks the store', async () => {
    const keep = task('keep', async (words: string) => remember(getStore(), words));
    const graph = entrypoint('chat', async (input: State) => saying(await keep(said(input))));
    const stack = await stackWith(withStore(graph), { storage: await open() });
    await answer(stack, 'one');
    expect(await answer(stack, 'two')).toBe('one, two');
  });

  it('gives subgraphs the store, as nodes and when a node calls them', async () => {
    const inner = noting.compile();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('asNode', inner)
      .addNode('called', async (state: State, config: Config) => {
        const { messages } = await noting.compile().invoke({ messages: state.messages.slice(0, 1) }, config);
        return saying(` then ${messages.at(-1)?.text ?? ''}`);
      })
      .addNode('list', async (_: State, { store }: Config) =>
        saying(` in ${JSON.stringify(await store?.listNamespaces())}`),
      )
      .addEdge(START, 'asNode')
      .addEdge('asNode', 'called')
      .addEdge('called', 'list');
    const stack = await stackWith(withStore(graph), { storage: await open() });
    expect(await answer(stack, 'One.')).toBe('One.One. then One. in [["said"]]');
  });

  it('keeps what 50 branches of a node put at once', async () => {
    const graph = oneNode(async (_, { store }) => {
      await Promise.all(Array.from({ length: 50 }, async (_each, n) => store?.put(['n'], String(n), { n })));
      return saying(String((await store?.search(['n'], { limit: 100 }))?.length));
    });
    const stack = await stackWith(withStore(graph), { storage: await open() });
    expect(await answer(stack, 'go')).toBe('50');
  });

  it('shows users and tenants only what their own runs have put', async () => {
    const stack = await stackWith(withStore(noting), { storage: await open() });
    const owners = ['acme', 'globex'].flatMap((tenant) =>
      ['ada', 'bob'].map((userId) => ({ tenant, userId })),
    );
    for (const { tenant, userId } of owners) {
      const words = `${userId} of ${tenant}`;
      expect(await answer(stack, words, { tenant, userId })).toBe(words);
    }
    expect(await answer(stack, 'again', owners[0])).toBe('ada of acme, again');
  });

  it('shares items in a tenant when the scope says so', async () => {
    const stack = await stackWith(withStore(noting, { scope: 'tenant' }), { storage: await open() });
    await answer(stack, 'mine');
    expect(await answer(stack, 'ours', { tenant: 'acme', userId: 'bob' })).toBe('mine, ours');
    expect(await answer(stack, 'theirs', { tenant: 'globex', userId: 'bob' })).toBe('theirs');
  });
});

describe('a graph with a store', () => {
  it('finds its items after a restart on the same directory', async () => {
    const storage = await opening(await storages.make('sqlite'));
    const stack = await stackWith(withStore(noting), { storage });
    await answer(stack, 'before');
    await stack.executor.drain(0);
    await storage.close();
    const { SqliteStorage } = await import('../../src/storage/sqlite/sqlite.storage.js');
    const again = await opening(new SqliteStorage({ directory: storage.location ?? '' }));
    expect(await answer(await stackWith(withStore(noting), { storage: again }), 'after')).toBe(
      'before, after',
    );
  });

  it('reads on PostgreSQL what another process has put', async () => {
    const storage = await opening(await storages.make('postgres'));
    const sibling = await opening(storages.sibling(storage));
    const stack = await stackWith(withStore(noting), { storage });
    await answer(stack, 'here');
    const owner = { tenant: 'acme', userId: 'ada' };
    expect(await new GraphStore({ items: sibling.items }, owner).get(['said'], 'here')).toMatchObject({
      value: { words: 'here' },
    });
  });

  it('leaves a graph, and a subgraph, the store that it was compiled with', async () => {
    const [own, inner] = [new InMemoryStore(), new InMemoryStore()];
    const compiled = await stackWith(withStore(noting.compile({ store: own })));
    await answer(compiled, 'one');
    expect(await own.get(['said'], 'one')).not.toBeNull();
    const around = new StateGraph(MessagesAnnotation)
      .addNode('inner', noting.compile({ store: inner }))
      .addNode('after', async (_: State, { store }: Config) =>
        saying(` ${(await store?.search([]))?.length}`),
      )
      .addEdge(START, 'inner')
      .addEdge('inner', 'after');
    expect(await answer(await stackWith(withStore(around)), 'two')).toBe('two 0');
    expect(await inner.get(['said'], 'two')).not.toBeNull();
  });

  it('gives a function that makes graphs the store of the run', async () => {
    const make = async (config: Config) => {
      await config.store?.put(['made'], 'one', {});
      return oneNode(async () => saying(`made with ${(await config.store?.search([]))?.length}`)).compile({
        ...(config.store && { store: config.store }),
      });
    };
    expect(await answer(await stackWith(withStore(make)), 'go')).toBe('made with 1');
  });

  it('gives tools of the application the store by getStore', async () => {
    const note = noteTool('note', async ({ note: words }) => remember(getStore(), words));
    const model = scripted((messages) => {
      const [result] = findToolMessages(messages);
      return result ? { chunks: [result.text] } : { calls: [call('c1')] };
    });
    const stack = await stackWith(
      ({ checkpointer, items }, tracking, tools) =>
        createChatAgent({
          name: 'chat',
          description: 'Chats.',
          model,
          tools,
          tracking,
          checkpointer,
          store: { items },
        }),
      { tools: [note] },
    );
    expect(await answer(stack, 'go')).toContain('x');
    expect(
      await new GraphStore({ items: stack.storage.items }, { tenant: 'acme', userId: 'ada' }).search([]),
    ).toHaveLength(1);
  });

  it('works as before without one', async () => {
    const stack = await stackWith(graphAgent(oneNode(async (_, { store }) => saying(typeof store))));
    expect(await answer(stack, 'go')).toBe('undefined');
  });
});
