import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, OTHER_ALICE } from '../storage-samples.js';

const ROOM = 10;
const first = (id: string, document = '{}') => ({ id, revision: 1, document });

export function assistantContract({ describe, test, expect }: ContractSuite): void {
  describe('assistants', () => {
    test('returns an assistant as it was stored, to its owner only', async ({ storage: { assistants } }) => {
      const stored = first('a1', JSON.stringify({ name: 'NUL \u0000 "é"' }));
      expect(await assistants.put(ALICE, stored, ROOM)).toBe('stored');
      expect({ ...(await assistants.get(ALICE, 'a1')) }).toEqual(stored);
      for (const other of [BOB, OTHER_ALICE]) {
        expect(await assistants.get(other, 'a1')).toBeUndefined();
        expect(await assistants.list(other)).toEqual([]);
        await assistants.delete(other, 'a1');
      }
      expect(await assistants.put(BOB, first('a1', '"of Bob"'), ROOM)).toBe('stored');
      expect((await assistants.list(ALICE)).map((one) => ({ ...one }))).toEqual([stored]);
      for (const id of ['a2', '\0']) expect(await assistants.get(ALICE, id)).toBeUndefined();
    });

    test('stores only what follows the stored state, and the same once more', async ({
      storage: { assistants },
    }) => {
      const put = (revision: number, document: string) =>
        assistants.put(ALICE, { id: 'a1', revision, document }, ROOM);
      expect(await put(2, '"two"')).toBe('conflict');
      expect(await put(1, '"one"')).toBe('stored');
      expect(await put(1, '"other"')).toBe('conflict');
      expect(await put(2, '"two"')).toBe('stored');
      expect(await put(2, '"two"')).toBe('stored');
      expect(await put(2, '"other"')).toBe('conflict');
      expect({ ...(await assistants.get(ALICE, 'a1')) }).toEqual({
        id: 'a1',
        revision: 2,
        document: '"two"',
      });
      const changes = await Promise.all(['"a"', '"b"', '"c"'].map((document) => put(3, document)));
      expect(changes.toSorted()).toEqual(['conflict', 'conflict', 'stored']);
    });

    test('stores no more than an owner may have, whatever is stored at once', async ({
      storage: { assistants },
    }) => {
      const puts = ['a1', 'a2', 'a3', 'a4'].map((id) => assistants.put(ALICE, first(id), 2));
      expect((await Promise.all(puts)).toSorted()).toEqual(['full', 'full', 'stored', 'stored']);
      const [one] = await assistants.list(ALICE);
      expect(await assistants.put(ALICE, { ...one!, revision: 2, document: '"changed"' }, 2)).toBe('stored');
      expect(await assistants.put(BOB, first('b1'), 2)).toBe('stored');
      await assistants.delete(ALICE, one!.id);
      expect(await assistants.put(ALICE, first('a5'), 2)).toBe('stored');
    });

    test('lists assistants as they were created, and removes all of an owner', async ({
      storage: { assistants },
    }) => {
      const list = async () => (await assistants.list(ALICE)).map(({ id }) => id);
      for (const id of ['b', 'a', 'c']) await assistants.put(ALICE, first(id), ROOM);
      await assistants.put(ALICE, { id: 'b', revision: 2, document: '"changed"' }, ROOM);
      await assistants.put(BOB, first('d'), ROOM);
      expect(await list()).toEqual(['b', 'a', 'c']);
      await assistants.delete(ALICE, 'a');
      await assistants.delete(ALICE, 'a');
      expect(await list()).toEqual(['b', 'c']);
      await assistants.deleteAll(ALICE);
      expect(await list()).toEqual([]);
      expect(await assistants.list(BOB)).toHaveLength(1);
    });
  });
}
