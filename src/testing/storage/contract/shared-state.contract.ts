import type { ContractSuite } from '../storage-harness.js';

export function sharedStateContract({ describe, test, expect }: ContractSuite): void {
  describe('shared state', () => {
    test('returns no value for a name that was not set', async ({ storage: { state } }) => {
      expect(await state.get('absent')).toBeUndefined();
      expect(await state.list('absent')).toEqual([]);
    });

    test('returns a value as it was set, and the last one that was set', async ({ storage: { state } }) => {
      const awkward = { text: 'NUL \u0000, lone \ud83d', list: [1, null, true] };
      await state.set('a', awkward);
      expect(await state.get('a')).toEqual(awkward);
      await state.set('a', { text: 'quotes " and \\', list: [] });
      expect(await state.get('a')).toEqual({ text: 'quotes " and \\', list: [] });
      await state.delete('a');
    });

    test('returns the first value to all who create it at once', async ({ storage: { state } }) => {
      const values = await Promise.all(Array.from({ length: 20 }, (_, index) => state.create('key', index)));
      expect(new Set(values).size).toBe(1);
      expect(await state.get('key')).toBe(values[0]);
      expect(await state.create('key', 'later')).toBe(values[0]);
      await state.delete('key');
    });

    test('lists the names with a prefix in order, without wildcards', async ({ storage: { state } }) => {
      for (const name of ['b/_2', 'b/%1', 'B/3', 'b/é', 'bb', 'c']) await state.set(name, name);
      expect((await state.list('b/')).map(({ name }) => name)).toEqual(['b/%1', 'b/_2', 'b/é']);
      expect(await state.list('b/%')).toEqual([{ name: 'b/%1', value: 'b/%1' }]);
      for (const { name } of await state.list('')) await state.delete(name);
      expect(await state.list('')).toEqual([]);
    });

    test('does not delete a value that has changed meanwhile', async ({ storage: { state } }) => {
      await state.set('a', { mark: 1 });
      const seen = await state.get('a');
      await state.set('a', { mark: 2 });
      await state.delete('a', seen);
      expect(await state.get('a')).toEqual({ mark: 2 });
      await state.delete('a', { mark: 2 });
      expect(await state.get('a')).toBeUndefined();
      await state.delete('a', { mark: 2 });
    });

    test('deletes a value, and accepts that it is deleted again', async ({ storage: { state } }) => {
      await state.set('a', 1);
      await state.delete('a');
      await state.delete('a');
      expect(await state.get('a')).toBeUndefined();
    });
  });
}
