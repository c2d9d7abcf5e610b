import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { getStore, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import { chatServers } from '../support/chat.server.js';

/** The bearer token names the user, and the tenant after a slash. */
const BEARER_IS_USER: AuthOptions = {
  kind: 'host',
  getPrincipal: ({ headers }) => {
    const [userId, tenant = 'here'] = (headers.authorization ?? '').replace('Bearer ', '').split('/');
    return userId ? { userId, tenant, roles: [] } : undefined;
  },
};

/** Remembers the message, beside what it knows already. */
const remembering = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('remember', async ({ messages }) => {
      const store = getStore()!;
      const known = await store.search(['notes']);
      await store.put(['notes'], `n${known.length}`, { text: messages.at(-1)!.text });
      return { messages: [new AIMessage(known.map(({ value }) => String(value['text'])).join(', '))] };
    })
    .addEdge(START, 'remember')
    .compile();

describe("LangGraph's client.store", () => {
  const start = chatServers();
  const serve = async () => {
    const server = await start({
      auth: BEARER_IS_USER,
      store: { maxItems: 5, maxItemBytes: 1_000 },
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'chat',
          description: 'Remembers.',
          graph: remembering() as never,
        }),
      ],
      protocols: {},
    });
    return (user: string) =>
      new Client({
        apiUrl: `${server.origin}/protocols/langgraph`,
        apiKey: null,
        defaultHeaders: { authorization: `Bearer ${user}` },
        callerOptions: { maxRetries: 0 },
      });
  };

  it('reads what a graph has stored, and stores what a graph reads', async () => {
    const { runs, store } = (await serve())('ann');
    await store.putItem(['notes'], 'a', { text: 'by hand', rank: 2 });
    const input = { messages: [{ type: 'human', content: 'by graph' }] };
    const values = (await runs.wait(null, 'chat', { input })) as { messages: { content: string }[] };
    expect(values.messages.at(-1)!.content).toBe('by hand');

    expect(await store.getItem(['notes'], 'n1')).toMatchObject({
      namespace: ['notes'],
      key: 'n1',
      value: { text: 'by graph' },
      createdAt: expect.any(String),
    });
    expect((await store.searchItems(['notes'])).items.map(({ key }) => key)).toEqual(['a', 'n1']);
    const found = await store.searchItems(['notes'], { filter: { rank: { $gt: 1 } } });
    expect(found.items.map(({ key }) => key)).toEqual(['a']);
    expect((await store.searchItems([], { limit: 1, offset: 1 })).items).toHaveLength(1);

    await store.putItem(['users', 'ann'], 'b', {});
    expect(await store.listNamespaces()).toEqual({ namespaces: [['notes'], ['users', 'ann']] });
    expect(await store.listNamespaces({ prefix: ['users'], maxDepth: 1 })).toEqual({
      namespaces: [['users']],
    });

    await store.deleteItem(['notes'], 'a');
    expect(await store.getItem(['notes'], 'a')).toBeNull();
  });

  it('shows nobody the items of another user or tenant', async () => {
    const as = await serve();
    await as('ann').store.putItem(['notes'], 'a', { text: 'mine' });
    for (const stranger of ['bob', 'ann/there']) {
      const { store } = as(stranger);
      expect(await store.getItem(['notes'], 'a')).toBeNull();
      expect((await store.searchItems([])).items).toEqual([]);
      expect(await store.listNamespaces()).toEqual({ namespaces: [] });
      await store.deleteItem(['notes'], 'a');
      await store.putItem(['notes'], 'a', { text: 'theirs' });
    }
    expect(await as('ann').store.getItem(['notes'], 'a')).toMatchObject({ value: { text: 'mine' } });
  });

  it('refuses what no store takes, and what is too much', async () => {
    const { store } = (await serve())('ann');
    await expect(store.putItem(['langgraph'], 'a', {})).rejects.toThrow('400');
    await expect(store.putItem([], 'a', {})).rejects.toThrow('400');
    await expect(store.searchItems([], { filter: { a: { $like: 'x' } } })).rejects.toThrow('400');
    await expect(store.putItem(['n'], 'a', { text: 'x'.repeat(1_001) })).rejects.toThrow('RUN_LIMIT');
    for (const key of ['1', '2', '3', '4', '5']) await store.putItem(['n'], key, {});
    await expect(store.putItem(['n'], '6', {})).rejects.toThrow('RUN_LIMIT');
    await store.putItem(['n'], '5', { again: true });
  });
});
