import type { ItemChange, ItemQuery, ItemScope } from '../../../agents/item.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, OTHER_ALICE } from '../storage-samples.js';

export const LIMITS = { maxItems: 1_000, maxBytes: 1_000_000 };

const FACTS = ['facts'];

export function item(key: string, value: object, differences: Partial<ItemChange> = {}): ItemChange {
  return { namespace: FACTS, key, value: JSON.stringify(value), vectors: [], ...differences };
}

export function find(
  { items }: Storage,
  scope: ItemScope,
  query: Partial<ItemQuery> = {},
): Promise<readonly string[]> {
  const found = items.search(scope, { prefix: [], limit: 100, offset: 0, ...query });
  return found.then((all) => all.map(({ key }) => key));
}

export function itemContract({ describe, test, expect }: ContractSuite): void {
  describe('items', () => {
    test('returns an item as it was put, and nothing for a name that has none', async ({
      storage: { items },
    }) => {
      const awkward = { text: 'NUL \u0000, lone \ud83d, "quotes" \\', list: [1, null, true] };
      const name = { namespace: ['a\ud83d', '"%_\\', 'é'], key: 'k\u0000\ud83d."' };
      await items.change(ALICE, [item('', awkward, name)], LIMITS);
      const [found, absent] = await items.get(ALICE, [name, { ...name, key: 'k' }]);
      expect(found).toMatchObject({ ...name, expires: false });
      expect(JSON.parse(found?.value ?? '')).toEqual(awkward);
      expect(absent).toBeUndefined();
      expect(await items.listNamespaces(ALICE)).toEqual([name.namespace]);
      expect(await items.search(ALICE, { prefix: name.namespace, limit: 1, offset: 0 })).toEqual([found]);
    });

    test('replaces an item in its place and keeps the time of its creation', async ({ storage, advance }) => {
      const { items } = storage;
      await items.change(ALICE, [item('a', { n: 1 }), item('b', { n: 1 })], LIMITS);
      const [before] = await items.get(ALICE, [item('a', {})]);
      await advance(5);
      await items.change(ALICE, [item('a', { n: 2 })], LIMITS);
      const [after] = await items.get(ALICE, [item('a', {})]);
      expect(after).toMatchObject({ value: '{"n":2}', createdAt: before?.createdAt ?? 0 });
      expect((after?.updatedAt ?? 0) - (before?.updatedAt ?? 0)).toBe(5);
      expect(await find(storage, ALICE)).toEqual(['a', 'b']);
    });

    test('removes items, and accepts that they are removed again', async ({ storage }) => {
      await storage.items.change(ALICE, [item('a', {}), item('b', {})], LIMITS);
      const removal = { namespace: FACTS, key: 'a', value: null };
      for (const _ of [1, 2]) expect(await storage.items.change(ALICE, [removal], LIMITS)).toBe('changed');
      expect(await find(storage, ALICE)).toEqual(['b']);
    });

    test('shows no scope the items of another under the same name', async ({ storage }) => {
      const scopes: ItemScope[] = [ALICE, OTHER_ALICE, BOB, { tenant: 'acme' }, { tenant: 'globex' }];
      for (const [n, scope] of scopes.entries())
        await storage.items.change(scope, [item('same', { n })], LIMITS);
      for (const [n, scope] of scopes.entries()) {
        const [found] = await storage.items.get(scope, [item('same', {})]);
        expect(found?.value).toBe(JSON.stringify({ n }));
        expect(await find(storage, scope)).toEqual(['same']);
        expect(await storage.items.listNamespaces(scope)).toEqual([FACTS]);
      }
      await storage.items.change(BOB, [{ namespace: FACTS, key: 'same', value: null }], LIMITS);
      expect(await find(storage, BOB)).toEqual([]);
      expect(await find(storage, ALICE)).toEqual(['same']);
    });

    test('finds the items below a prefix of labels, oldest first, a page at a time', async ({ storage }) => {
      const put = (namespace: readonly string[], key: string) =>
        storage.items.change(ALICE, [item(key, {}, { namespace })], LIMITS);
      await put(['b'], '1');
      await put(['a', 'x'], '2');
      await put(['ab'], '3');
      await put(['a'], '4');
      await put(['a', 'x', 'y'], '5');
      expect(await find(storage, ALICE)).toEqual(['1', '2', '3', '4', '5']);
      expect(await find(storage, ALICE, { prefix: ['a'] })).toEqual(['2', '4', '5']);
      expect(await find(storage, ALICE, { prefix: ['a', 'x'] })).toEqual(['2', '5']);
      expect(await find(storage, ALICE, { prefix: ['a', ''] })).toEqual([]);
      expect(await find(storage, ALICE, { limit: 2, offset: 1 })).toEqual(['2', '3']);
      expect(await find(storage, ALICE, { limit: 2, offset: 1, filter: {} })).toEqual(['2', '3']);
      expect(await find(storage, ALICE, { limit: 0 })).toEqual([]);
      expect(await storage.items.listNamespaces(ALICE)).toEqual([
        ['a'],
        ['a', 'x'],
        ['a', 'x', 'y'],
        ['ab'],
        ['b'],
      ]);
    });

    test('filters by fields and by comparisons', async ({ storage }) => {
      const values = [{ n: 1, kind: 'x' }, { n: 2, kind: 'y' }, { n: 3 }, { kind: 'x', n: '2' }];
      await storage.items.change(
        ALICE,
        values.map((value, index) => item(String(index), value)),
        LIMITS,
      );
      const filters: [Record<string, unknown>, string[]][] = [
        [{ kind: 'x' }, ['0', '3']],
        [{ n: { $eq: 2 } }, ['1']],
        [{ kind: { $ne: 'x' } }, ['1', '2']],
        [{ n: { $gt: 1, $lt: 3 } }, ['1', '3']],
        [{ n: { $gte: 2 }, kind: 'x' }, ['3']],
        [{ n: { $lte: 1 } }, ['0']],
        [{ kind: { $in: ['y', 'z'] } }, ['1']],
        [{ kind: { $nin: ['x'] } }, ['1', '2']],
        [{ toString: 'x' }, []],
      ];
      for (const [filter, keys] of filters) expect(await find(storage, ALICE, { filter })).toEqual(keys);
      expect(await find(storage, ALICE, { filter: { n: { $gt: 0 } }, limit: 2, offset: 1 })).toEqual([
        '1',
        '2',
      ]);
    });

    test('ranks by the cosine of the nearest vector, and items without one last', async ({ storage }) => {
      const vectors = (...all: number[][]) => ({ vectors: all.map((each) => new Float32Array(each)) });
      await storage.items.change(
        ALICE,
        [
          item('none', { n: 0 }),
          item('far', { n: 1 }, vectors([-1, 0])),
          item('near', { n: 1 }, vectors([0, 5], [7, 7])),
          item('exact', { n: 0 }, vectors([2, 0])),
          item('other model', { n: 1 }, vectors([1, 0, 0])),
        ],
        LIMITS,
      );
      const vector = new Float32Array([1, 0]);
      const all = await storage.items.search(ALICE, { prefix: [], vector, limit: 10, offset: 0 });
      expect(all.map(({ key, score }) => [key, score?.toFixed(3)])).toEqual([
        ['exact', '1.000'],
        ['near', '0.707'],
        ['far', '-1.000'],
        ['none', undefined],
        ['other model', undefined],
      ]);
      expect(await find(storage, ALICE, { vector, limit: 2, offset: 1 })).toEqual(['near', 'far']);
      expect(await find(storage, ALICE, { vector, filter: { n: 1 }, limit: 2 })).toEqual(['near', 'far']);
      await storage.items.change(ALICE, [item('exact', { n: 2 })], LIMITS);
      expect(await find(storage, ALICE, { vector, limit: 1 })).toEqual(['near']);
    });

    test('searches more items than it reads at a time', async ({ storage }) => {
      const many = Array.from({ length: 450 }, (_, n) =>
        item(String(n), { n }, { vectors: [new Float32Array([n + 1, 1])] }),
      );
      await storage.items.change(ALICE, many, LIMITS);
      expect(await find(storage, ALICE, { filter: { n: { $gte: 430 } }, limit: 2 })).toEqual(['430', '431']);
      const vector = new Float32Array([1, 0]);
      expect(await find(storage, ALICE, { vector, limit: 2 })).toEqual(['449', '448']);
    });

    test('makes no change of several that together go beyond a limit', async ({ storage }) => {
      const limits = { maxItems: 2, maxBytes: 200 };
      const { items } = storage;
      const big = (letters: number) => ({ text: 'x'.repeat(letters) });
      expect(await items.change(ALICE, [item('a', {}), item('b', {}), item('c', {})], limits)).toBe('full');
      expect(await items.change(ALICE, [item('a', big(200))], limits)).toBe('full');
      expect(await find(storage, ALICE)).toEqual([]);
      expect(await items.change(ALICE, [item('a', big(50)), item('b', big(50))], limits)).toBe('changed');
      expect(await items.change(ALICE, [item('c', {})], limits)).toBe('full');
      const removal = { namespace: FACTS, key: 'a', value: null };
      expect(await items.change(ALICE, [removal, item('c', big(50))], limits)).toBe('changed');
      expect(await items.change(BOB, [item('c', {})], limits)).toBe('changed');
      // What is over a limit that was lowered may still shrink.
      expect(await items.change(ALICE, [item('b', big(40))], { maxItems: 1, maxBytes: 10 })).toBe('changed');
      expect(await find(storage, ALICE)).toEqual(['b', 'c']);
    });

    test('makes 50 changes at once, and never goes beyond a limit', async ({ storage }) => {
      const put = (key: string) => storage.items.change(ALICE, [item(key, {})], { ...LIMITS, maxItems: 40 });
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, n) => put(String(n))));
      expect(outcomes.filter((outcome) => outcome === 'changed')).toHaveLength(40);
      expect(await find(storage, ALICE)).toHaveLength(40);
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => storage.items.change(BOB, [item('same', { n })], LIMITS)),
      );
      expect(await find(storage, BOB)).toEqual(['same']);
    });

    test('deletes all items of a user, or of a tenant with its users', async ({ storage, whereIs }) => {
      const scopes: ItemScope[] = [ALICE, BOB, { tenant: 'acme' }, OTHER_ALICE];
      for (const scope of scopes)
        await storage.items.change(scope, [item('a', { secret: 'hidden words' })], LIMITS);
      const left = async () =>
        (await Promise.all(scopes.map((scope) => find(storage, scope)))).map((all) => all.length);
      await storage.items.deleteAll(ALICE);
      expect(await left()).toEqual([0, 1, 1, 1]);
      await storage.items.deleteAll({ tenant: 'acme' });
      expect(await left()).toEqual([0, 0, 0, 1]);
      await storage.items.deleteAll(OTHER_ALICE);
      expect((await whereIs?.('hidden words')) ?? []).toEqual([]);
    });
  });
}
