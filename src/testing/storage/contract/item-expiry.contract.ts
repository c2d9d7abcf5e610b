import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB } from '../storage-samples.js';
import { find, item, LIMITS } from './item.contract.js';

export function itemExpiryContract({ describe, test, expect }: ContractSuite): void {
  describe('items that expire', () => {
    test('counts an item as removed once its time is over', async ({ storage, advance }) => {
      const { items } = storage;
      await items.change(ALICE, [item('short', {}, { ttlMs: 100 }), item('long', {})], LIMITS);
      await advance(99);
      expect(await find(storage, ALICE)).toEqual(['short', 'long']);
      await advance(1);
      expect(await find(storage, ALICE)).toEqual(['long']);
      expect(await find(storage, ALICE, { filter: {} })).toEqual(['long']);
      expect((await items.get(ALICE, [item('short', {})]))[0]).toBeUndefined();
      await items.touch(ALICE, [item('short', {})]);
      expect(await find(storage, ALICE)).toEqual(['long']);
    });

    test('frees the place of an expired item before it is swept', async ({ storage, advance }) => {
      const limits = { ...LIMITS, maxItems: 1 };
      await storage.items.change(ALICE, [item('a', { n: 1 }, { ttlMs: 100 })], limits);
      await advance(100);
      expect(await storage.items.listNamespaces(ALICE)).toEqual([]);
      expect(await storage.items.change(ALICE, [item('b', {})], limits)).toBe('changed');
    });

    test('makes an expired item anew when it is put again', async ({ storage, advance }) => {
      const { items } = storage;
      await items.change(ALICE, [item('a', { n: 1 }, { ttlMs: 100 }), item('b', {})], LIMITS);
      const [before] = await items.get(ALICE, [item('a', {})]);
      expect(before?.expires).toBe(true);
      await advance(100);
      await items.change(ALICE, [item('a', { n: 2 })], LIMITS);
      const [after] = await items.get(ALICE, [item('a', {})]);
      expect((after?.createdAt ?? 0) - (before?.createdAt ?? 0)).toBe(100);
      expect(after?.expires).toBe(false);
      expect(await find(storage, ALICE)).toEqual(['b', 'a']);
    });

    test('keeps an item as long again after each use', async ({ storage, advance }) => {
      const { items } = storage;
      await items.change(ALICE, [item('used', {}, { ttlMs: 100 }), item('idle', {}, { ttlMs: 100 })], LIMITS);
      for (const _ of [1, 2, 3]) {
        await advance(60);
        await items.touch(ALICE, [item('used', {})]);
        await items.touch(BOB, [item('idle', {})]);
      }
      expect(await find(storage, ALICE)).toEqual(['used']);
      await advance(100);
      expect(await find(storage, ALICE)).toEqual([]);
    });

    test('sweeps expired items of all owners, a part at a time', async ({ storage, advance, whereIs }) => {
      const { items } = storage;
      for (const scope of [ALICE, BOB, { tenant: 'acme' }])
        await items.change(scope, [item('a', { secret: 'short-lived' }, { ttlMs: 100 })], LIMITS);
      await items.change(ALICE, [item('b', {}, { ttlMs: 200 }), item('c', {})], LIMITS);
      expect(await items.deleteExpired(10)).toBe(0);
      await advance(100);
      expect(await items.deleteExpired(2)).toBe(2);
      expect(await items.deleteExpired(2)).toBe(1);
      expect((await whereIs?.('short-lived')) ?? []).toEqual([]);
      expect(await find(storage, ALICE)).toEqual(['b', 'c']);
    });
  });
}
