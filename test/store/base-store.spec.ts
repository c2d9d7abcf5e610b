import { afterEach, describe, expect, it } from '@jest/globals';
import { InMemoryStore, type BaseStore, type IndexConfig } from '@langchain/langgraph-checkpoint';
import { GraphStore } from '../../src/agents/langgraph/graph-store.js';
import type { StoreOptions } from '../../src/agents/agent-store.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const ADA = { tenant: 'acme', userId: 'ada' };

/** Counts letters: texts of the same letters are near. */
const letters = {
  asked: [] as string[][],
  embedQuery: async (text: string) => count(text),
  embedDocuments: async (texts: string[]) => {
    letters.asked.push(texts);
    return texts.map(count);
  },
};
const count = (text: string) => ['a', 'b', 'c', 'd', 'e'].map((letter) => text.split(letter).length - 1);
const INDEX = { dims: 5, embed: letters };

const KINDS = ['InMemoryStore of LangGraph', 'memory', ...SHARED_KINDS] as const;

const storages = testStorages();
const opened: Storage[] = [];

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

async function open(kind: (typeof KINDS)[number]): Promise<Storage> {
  const storage = kind === 'sqlite' || kind === 'postgres' ? await storages.make(kind) : new MemoryStorage();
  opened.push(storage);
  await storage.open();
  return storage;
}

async function makeStore(kind: (typeof KINDS)[number], options: StoreOptions = {}): Promise<BaseStore> {
  if (kind !== KINDS[0]) return new GraphStore({ ...options, items: (await open(kind)).items }, ADA);
  const { index } = options;
  if (!index) return new InMemoryStore();
  const { dims, embed, fields } = index;
  const embeddings = embed as unknown as IndexConfig['embeddings'];
  return new InMemoryStore({ index: { dims, embeddings, ...(fields && { fields: [...fields] }) } });
}

const keys = (items: readonly { readonly key: string }[]) => items.map(({ key }) => key);

describe.each(KINDS)('store over %s', (kind) => {
  it('returns an item with its name and times, and null where there is none', async () => {
    const store = await makeStore(kind);
    const value = { likes: ['tea', null], deep: { n: 1.5, ok: true } };
    await store.put(['users', 'ada'], 'prefs', value);
    const item = await store.get(['users', 'ada'], 'prefs');
    expect(item).toMatchObject({ namespace: ['users', 'ada'], key: 'prefs', value });
    expect(item?.createdAt).toBeInstanceOf(Date);
    expect(item?.updatedAt).toBeInstanceOf(Date);
    expect(await store.get(['users', 'ada'], 'other')).toBeNull();
    expect(await store.get(['users'], 'prefs')).toBeNull();
    await store.delete(['users', 'ada'], 'prefs');
    expect(await store.get(['users', 'ada'], 'prefs')).toBeNull();
  });

  it('refuses namespaces that LangGraph refuses', async () => {
    const store = await makeStore(kind);
    for (const namespace of [
      [],
      [''],
      ['a.b'],
      ['a', ''],
      ['a:b'],
      ['a\0'],
      ['langgraph', 'a'],
      [1 as unknown as string],
    ])
      await expect(store.put(namespace, 'key', {})).rejects.toThrow(/namespace/i);
    await expect(store.search(['a.b'])).rejects.toThrow(/namespace/i);
    await expect(store.batch([{ namespace: [], key: 'key', value: {} }])).rejects.toThrow(/namespace/i);
  });

  it('searches below a prefix with filters, pages, and ten items by default', async () => {
    const store = await makeStore(kind);
    for (let n = 0; n < 12; n += 1)
      await store.put(['docs', 'a'], String(n), { n, kind: n % 2 ? 'odd' : 'even' });
    await store.put(['documents'], 'x', { n: 1 });
    expect(await store.search(['docs'])).toHaveLength(10);
    expect(keys(await store.search(['docs'], { limit: 2, offset: 3 }))).toEqual(['3', '4']);
    expect(
      keys(await store.search(['docs', 'a'], { filter: { kind: 'odd', n: { $gt: 4, $lte: 9 } } })),
    ).toEqual(['5', '7', '9']);
    expect(keys(await store.search([], { filter: { n: 1 }, limit: 5 }))).toEqual(['1', 'x']);
    expect(keys(await store.search(['docs'], { query: 'anything', limit: 1 }))).toEqual(['0']);
  });

  it('lists namespaces by prefix, suffix, wildcard and depth', async () => {
    const store = await makeStore(kind);
    for (const namespace of [
      ['a', 'b', 'c'],
      ['a', 'b', 'd'],
      ['a', 'x', 'd'],
      ['b', 'd'],
    ])
      await store.put(namespace, 'key', {});
    expect(await store.listNamespaces()).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'd'],
      ['a', 'x', 'd'],
      ['b', 'd'],
    ]);
    expect(await store.listNamespaces({ prefix: ['a', 'b'] })).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'd'],
    ]);
    expect(await store.listNamespaces({ suffix: ['d'], limit: 2, offset: 1 })).toEqual([
      ['a', 'x', 'd'],
      ['b', 'd'],
    ]);
    expect(await store.listNamespaces({ prefix: ['a', '*', 'd'] })).toEqual([
      ['a', 'b', 'd'],
      ['a', 'x', 'd'],
    ]);
    expect(await store.listNamespaces({ prefix: ['a'], maxDepth: 2 })).toEqual([
      ['a', 'b'],
      ['a', 'x'],
    ]);
  });

  it('answers a batch in order, reads before writes, and keeps the last put of a name', async () => {
    const store = await makeStore(kind);
    const name = { namespace: ['a'], key: 'key' };
    await store.put(['a'], 'key', { n: 1 });
    const results = await store.batch([
      { ...name, value: { n: 2 } },
      name,
      { namespacePrefix: ['a'], limit: 5 },
      { ...name, value: { n: 3 } },
      { limit: 5, offset: 0, matchConditions: [] },
    ]);
    // LangGraph's own returns the item that it holds, which the put then changes.
    expect(results[1]).toMatchObject({ value: { n: kind === KINDS[0] ? 3 : 1 } });
    expect(results[2]).toMatchObject([{ value: { n: 1 } }]);
    expect(results[4]).toEqual([['a']]);
    expect(await store.get(['a'], 'key')).toMatchObject({ value: { n: 3 } });
  });

  it('ranks by meaning over the fields of the index, or those of a put', async () => {
    const store = await makeStore(kind, { index: { ...INDEX, fields: ['title', 'parts[*].text'] } });
    await store.put(['d'], 'aaa', { title: 'aaa', other: 'bbb' });
    await store.put(['d'], 'parts', { title: 'ccc', parts: [{ text: 'e' }, { text: 'bbb' }] });
    await store.put(['d'], 'own', { title: 'ccc', other: 'aab' }, ['other']);
    await store.put(['d'], 'hidden', { title: 'bbb' }, false);
    const found = await store.search(['d'], { query: 'bb' });
    expect(keys(found)).toEqual(['parts', 'own', 'aaa', 'hidden']);
    expect(found.map(({ score }) => score?.toFixed(2))).toEqual(['1.00', '0.45', '0.00', undefined]);
    expect(keys(await store.search(['d'], { query: 'aaa', limit: 1, filter: { title: 'ccc' } }))).toEqual([
      'own',
    ]);
  });

  it('keeps 50 items that are put at once', async () => {
    const store = await makeStore(kind);
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => store.put(['a', String(n % 5)], String(n), { n })),
    );
    const found = await store.search(['a'], { limit: 100 });
    expect(found.map(({ value }) => Number(value['n'])).toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    );
  });
});

describe('GraphStore', () => {
  it('refuses values that JSON would change without a word, and names the field', async () => {
    const store = await makeStore('memory');
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const [value, words] of [
      [{ a: { seen: new Map() } }, "'seen' of the value is a Map"],
      [{ tags: new Set() }, "'tags' of the value is a Set"],
      [{ n: 1n }, "'n' of the value is a BigInt"],
      [{ run: () => 1 }, "'run' of the value is a function"],
      [cycle, 'circular'],
      [[1] as unknown as Record<string, unknown>, 'must be an object'],
    ] as const)
      await expect(store.put(['a'], 'key', value)).rejects.toThrow(words);
    expect(await store.search([])).toEqual([]);
  });

  it('refuses filters, pages and keys that it cannot honour', async () => {
    const store = await makeStore('memory');
    await expect(store.search([], { filter: { a: { $regex: 'x' } } })).rejects.toThrow(
      "'a' cannot be $regex",
    );
    await expect(store.search([], { filter: { a: { b: 1 } } })).rejects.toThrow("'a' cannot be b");
    await expect(store.search([], { limit: -1 })).rejects.toThrow('`limit`');
    await expect(store.put(['a'], 1 as unknown as string, {})).rejects.toThrow('must be a string');
  });

  it('refuses items that are too large or too many with words for people', async () => {
    const store = await makeStore('memory', { maxItemBytes: 50, maxItems: 1 });
    const failure = (put: Promise<void>) =>
      put.then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await failure(store.put(['a'], 'big', { text: 'é'.repeat(30) }))).toMatchObject({
      code: 'RUN_LIMIT',
      message: "The item 'big' is larger than the 50 bytes that an item may have.",
    });
    await store.put(['a'], 'one', {});
    expect(await failure(store.put(['a'], 'two', {}))).toMatchObject({ code: 'RUN_LIMIT' });
  });

  it('embeds each text of a batch once, and nothing of a put that it refuses', async () => {
    const store = await makeStore('memory', { index: { ...INDEX, fields: ['t'] }, maxItemBytes: 50 });
    letters.asked.length = 0;
    await store.batch([
      { namespace: ['a'], key: '1', value: { t: 'same' } },
      { namespace: ['a'], key: '2', value: { t: 'same' } },
      { namespace: ['a'], key: '3', value: { t: 'other' } },
      { namespace: ['a'], key: '4', value: null },
    ]);
    expect(letters.asked).toEqual([['same', 'other']]);
    await expect(store.put(['a'], 'big', { t: 'x'.repeat(60) })).rejects.toThrow('larger');
    expect(letters.asked).toHaveLength(1);
  });

  it('takes a function that embeds, and refuses vectors of another length than dims', async () => {
    const embed = async (texts: string[]) => texts.map((text) => [text.length, 1]);
    const store = await makeStore('memory', { index: { dims: 2, embed } });
    await store.put(['a'], 'key', { t: 'x' });
    expect(await store.search(['a'], { query: 'x' })).toMatchObject([{ key: 'key' }]);
    const wrong = await makeStore('memory', { index: { dims: 3, embed } });
    await expect(wrong.put(['a'], 'key', { t: 'x' })).rejects.toThrow('`dims` is 3');
    expect(await wrong.get(['a'], 'key')).toBeNull();
  });

  it('lets items live as the options say, as a put says, and again after each read', async () => {
    let now = 1_800_000_000_000;
    const storage = new MemoryStorage({ clock: () => now });
    const { items } = storage;
    const store = new GraphStore({ items, ttlMs: 120_000 }, ADA);
    await store.put(['a'], 'usual', {});
    await store.put(['a'], 'short', {}, undefined, { ttl: 1 });
    await store.put(['a'], 'always', {}, undefined, { ttl: null });
    await expect(store.put(['a'], 'never', {}, undefined, { ttl: 0 })).rejects.toThrow('`ttl`');
    now += 59_999;
    expect(await store.get(['a'], 'short')).not.toBeNull();
    now += 59_999;
    expect(await store.search(['a'])).toHaveLength(3);
    now += 119_999;
    const idle = new GraphStore({ items, refreshOnRead: false }, ADA);
    expect(keys(await idle.search(['a']))).toEqual(['usual', 'always']);
    now += 1;
    expect(keys(await idle.search(['a']))).toEqual(['always']);
  });

  it('never shows one user or tenant the items of another, whatever the namespace', async () => {
    const { items } = new MemoryStorage();
    const owners = ['acme', 'globex'].flatMap((tenant) =>
      ['ada', 'bob'].map((userId) => ({ tenant, userId })),
    );
    const stores = owners.map((owner) => new GraphStore({ items }, owner));
    for (const [n, store] of stores.entries()) await store.put(['same'], 'key', { n });
    for (const [n, store] of stores.entries()) {
      expect(await store.search([])).toMatchObject([{ value: { n } }]);
      expect(await store.listNamespaces()).toEqual([['same']]);
      for (const { tenant, userId } of owners) expect(await store.search([tenant, userId])).toEqual([]);
    }
    const shared = owners.map((owner) => new GraphStore({ items, scope: 'tenant' }, owner));
    await shared[0]?.put(['same'], 'key', { by: 'ada' });
    expect(await shared[1]?.search([])).toMatchObject([{ value: { by: 'ada' } }]);
    expect(await shared[2]?.search([])).toEqual([]);
    const nobody = new GraphStore({ items }, { tenant: 'acme', userId: '' });
    await expect(nobody.search([])).rejects.toThrow('`userId`');
  });

  it('holds a limit on PostgreSQL while two processes put 50 items each, and shows each the items of both', async () => {
    const storage = await open('postgres');
    const sibling = storages.sibling(storage);
    opened.push(sibling);
    await sibling.open();
    const stores = [storage, sibling].map(({ items }) => new GraphStore({ items, maxItems: 60 }, ADA));
    const outcomes = await Promise.allSettled(
      stores.flatMap((store, process) =>
        Array.from({ length: 50 }, (_, n) => store.put(['a'], `${process} ${n}`, {})),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(60);
    for (const store of stores) expect(await store.search(['a'], { limit: 100 })).toHaveLength(60);
  });
});
