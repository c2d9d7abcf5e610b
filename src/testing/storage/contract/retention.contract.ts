import type { RecordedEvent } from '../../../events/recorded-event.js';
import type { Owner, Principal } from '../../../principal.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  BOB,
  OTHER_ALICE,
  toBatch,
  claimRun,
  toEnding,
  endRun,
  newRun,
  ownedRun,
} from '../storage-samples.js';

export function retentionContract({ describe, test, expect }: ContractSuite): void {
  describe('compact', () => {
    test('replaces the log by a part of it and leaves the run unchanged', async ({ storage }) => {
      const whole = await endedLog(storage, 'r1');
      const before = await storage.runs.get('r1');
      const part = keep(whole, [1, 4, 5, 9]);
      expect(await storage.retention.compact('r1', part)).toBe('compacted');
      expect(await storage.runs.get('r1')).toEqual(before);
      for (const afterSeq of [0, 1, 2, 4, 8, 9]) {
        for (const limit of [1, 2, 3, 100]) {
          const expected = part.filter(({ seq }) => seq > afterSeq).slice(0, limit);
          expect(await storage.log.read('r1', afterSeq, limit)).toEqual(expected);
        }
      }
    });

    test('stores in the run where the compacted log begins', async ({ storage }) => {
      const whole = await endedLog(storage, 'r1');
      await storage.retention.compact('r1', keep(whole, [8, 9]));
      expect(await storage.runs.get('r1')).toMatchObject({ firstSeq: 8, lastSeq: 9 });
    });

    test('refuses to compact a running or unknown run, one for a second time, and a log without its end', async ({
      storage,
    }) => {
      const whole = await endedLog(storage, 'r1');
      expect(await storage.retention.compact('r1', keep(whole, [1, 8]))).toBe('refused');
      expect(await storage.retention.compact('r1', [])).toBe('refused');
      expect(await storage.log.read('r1', 0, 100)).toEqual(whole);
      expect(await storage.retention.compact('r1', keep(whole, [1, 9]))).toBe('compacted');
      expect(await storage.retention.compact('r1', keep(whole, [9]))).toBe('refused');
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(2);

      const running = await ownedRun(storage, 'r2');
      const batch = toBatch(running, 0, 3);
      await storage.log.append([batch]);
      expect(await storage.retention.compact('r2', batch.events.slice(2))).toBe('refused');
      expect(await storage.retention.compact('r3', batch.events)).toBe('refused');
      expect(await storage.log.read('r2', 0, 100)).toEqual(batch.events);
    });

    test('lists runs to compact that ended before a moment, earliest end first, and each once', async ({
      storage,
      advance,
    }) => {
      const endedAt: number[] = [];
      for (const id of ['r1', 'r2', 'r3']) {
        await endedLog(storage, id);
        endedAt.push((await storage.runs.get(id))?.endedAt ?? 0);
        await advance(10);
      }
      await ownedRun(storage, 'running');
      const due = (endedBefore: number, limit = 10) =>
        storage.retention.listUncompacted({ endedBefore, limit });
      expect(await due(endedAt[0] ?? 0)).toEqual([]);
      expect(await due(endedAt[2] ?? 0)).toEqual(['r1', 'r2']);
      expect(await due(Number.MAX_SAFE_INTEGER, 1)).toEqual(['r1']);
      await storage.retention.compact('r1', await storage.log.read('r1', 0, 100));
      expect(await due(Number.MAX_SAFE_INTEGER)).toEqual(['r2', 'r3']);
    });
  });

  describe('deleteIdleThreads', () => {
    test('deletes threads unchanged since a moment, longest unchanged first', async ({
      storage,
      advance,
    }) => {
      const changedAt: number[] = [];
      for (const id of ['t1', 't2', 't3']) {
        await endRun(storage, await ownedRun(storage, `run-of-${id}`, { threadId: id }));
        changedAt.push((await storage.runs.getThread(ALICE, id))?.updatedAt ?? 0);
        await advance(10);
      }
      const remove = async (unchangedSince: number, limit = 10) =>
        (await storage.retention.deleteIdleThreads({ unchangedSince, limit })).map(({ id }) => id);
      expect(await remove(changedAt[0] ?? 0)).toEqual([]);
      expect(await remove(Number.MAX_SAFE_INTEGER, 1)).toEqual(['t1']);
      expect(await remove(changedAt[2] ?? 0)).toEqual(['t2']);
      expect(await storage.runs.getThread(ALICE, 't2')).toBeUndefined();
      expect(await storage.runs.get('run-of-t2')).toBeUndefined();
      expect(await storage.log.read('run-of-t2', 0, 10)).toEqual([]);
      expect(await storage.log.read('run-of-t3', 0, 10)).toHaveLength(1);
    });

    test('keeps a thread with a running or waiting run, however old', async ({ storage, advance }) => {
      const running = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.create(newRun('r2', { threadId: 't2' }));
      await advance(1_000_000);
      const all = { unchangedSince: Number.MAX_SAFE_INTEGER, limit: 10 };
      expect(await storage.retention.deleteIdleThreads(all)).toEqual([]);
      await endRun(storage, running);
      const owner = { userId: ALICE.userId, tenant: ALICE.tenant };
      expect(await storage.retention.deleteIdleThreads(all)).toEqual([{ id: 't1', owner }]);
      expect(await claimRun(storage)).toMatchObject({ id: 'r2' });
    });
  });

  describe('deleteIdleThreads for one owner', () => {
    test('keeps the threads of others, even of the same user id at another tenant', async ({
      storage,
      advance,
    }) => {
      for (const [id, principal] of [
        ['a', ALICE],
        ['o', OTHER_ALICE],
        ['b', BOB],
        ['a2', ALICE],
      ] as const) {
        await endRun(storage, await ownedRun(storage, id, { principal, threadId: `thread-${id}` }));
        await advance(10);
      }
      const remove = (owner: Owner, limit = 1) =>
        storage.retention.deleteIdleThreads({ unchangedSince: Number.MAX_SAFE_INTEGER, limit, owner });
      expect(await remove(OTHER_ALICE)).toHaveLength(1);
      expect(await storage.runs.get('o')).toBeUndefined();
      expect(await remove(OTHER_ALICE)).toEqual([]);
      expect(await remove(ALICE)).toHaveLength(1);
      expect(await storage.runs.get('a')).toBeUndefined();
      expect(await storage.runs.get('a2')).toMatchObject({ id: 'a2' });
      expect(await storage.runs.get('b')).toMatchObject({ id: 'b' });
    });
  });

  describe('listUsage', () => {
    test('lists the owners whose ended runs take most, by tenant and user', async ({ storage }) => {
      expect(await storage.retention.listUsage(10)).toEqual([]);
      const end = async (id: string, principal: Principal, words: number) => {
        const run = await ownedRun(storage, id, { principal, threadId: `thread-${id}`, message: 'é' });
        if (words > 0) await storage.log.append([toBatch(run, 0, words)]);
        await storage.log.append([toEnding(run, words)]);
      };
      await end('b', BOB, 500);
      await end('o', OTHER_ALICE, 2_000);
      await end('a', ALICE, 100);
      await end('a2', ALICE, 1_000);
      const usage = await storage.retention.listUsage(10);
      const names = usage.map(({ owner }) => `${owner.tenant}/${owner.userId}`);
      expect(names).toEqual(['globex/alice', 'acme/alice', 'acme/bob']);
      for (const [index, words] of [2_000, 1_100, 500].entries()) {
        const bytes = usage[index]?.bytes ?? 0;
        expect(bytes > words * 50 && bytes < words * 200).toBe(true);
      }
      expect(await storage.retention.listUsage(1)).toEqual(usage.slice(0, 1));

      const running = await ownedRun(storage, 'r', { principal: BOB });
      await storage.log.append([toBatch(running, 0, 5_000)]);
      expect(await storage.retention.listUsage(10)).toEqual(usage);
    });

    test('counts messages, and reports less after compaction and deletion', async ({ storage }) => {
      const message = 'x'.repeat(100_000);
      const long = await ownedRun(storage, 'long', { principal: BOB, threadId: 'thread-long', message });
      await endRun(storage, long);
      const whole = await endedLog(storage, 'r1');
      const readUsage = async ({ tenant, userId }: Owner) =>
        (await storage.retention.listUsage(10)).find(
          ({ owner }) => owner.tenant === tenant && owner.userId === userId,
        )?.bytes ?? 0;
      expect((await readUsage(BOB)) > 100_000).toBe(true);
      const before = await readUsage(ALICE);
      await storage.retention.compact('r1', keep(whole, [9]));
      expect((await readUsage(ALICE)) < before).toBe(true);
      await storage.runs.deleteThread(BOB, 'thread-long');
      expect(await readUsage(BOB)).toBe(0);
    });

    test('counts the files of an owner until their thread is deleted', async ({ storage }) => {
      const run = await ownedRun(storage, 'b', { principal: BOB, threadId: 'b' });
      await endRun(storage, run);
      await endRun(storage, await ownedRun(storage, 'a', { threadId: 'a', message: 'x'.repeat(5_000) }));
      const data = new Uint8Array(100_000);
      const blob = { owner: BOB, threadKey: run.threadKey, id: 'image', mediaType: 'image/png', data };
      expect(await storage.blobs.put(blob, Number.MAX_SAFE_INTEGER)).toBe('stored');
      const [heaviest, other] = await storage.retention.listUsage(10);
      expect(heaviest).toMatchObject({ owner: { userId: 'bob' } });
      expect((heaviest?.bytes ?? 0) > 100_000 && (other?.bytes ?? 0) < 100_000).toBe(true);
      await storage.runs.deleteThread(BOB, 'b');
      expect(await storage.retention.listUsage(10)).toMatchObject([{ owner: { userId: 'alice' } }]);
    });
  });

  describe('usedBytes', () => {
    test('reports more bytes for what is stored and fewer when it is deleted', async ({ storage }) => {
      const before = await storage.retention.usedBytes();
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([toBatch(run, 0, 2_000)]);
      await storage.log.append([toEnding(run, 2_000)]);
      const full = await storage.retention.usedBytes();
      expect(full - before > 2_000 * 'word '.length).toBe(true);
      await storage.runs.deleteThread(ALICE, 't1');
      expect((await storage.retention.usedBytes()) < full).toBe(true);
      const data = new Uint8Array(2_000_000);
      const upload = { owner: ALICE, id: 'u', mediaType: 'text/plain', data, keepMs: 1_000 };
      const empty = await storage.retention.usedBytes();
      await storage.blobs.upload(upload, { maxOwnerBytes: 10_000_000, maxUploads: 1 });
      expect((await storage.retention.usedBytes()) - empty > 1_900_000).toBe(true);
      await storage.blobs.deleteOldestUploads(ALICE, 1);
      expect((await storage.retention.usedBytes()) - empty < 1_000_000).toBe(true);
      while (await storage.retention.shrink());
      expect(await storage.retention.shrink()).toBe(false);
    });
  });
}

/** A run that has ended, with nine events. */
async function endedLog(storage: Storage, id: string): Promise<readonly RecordedEvent[]> {
  const run = await ownedRun(storage, id);
  const batches = [toBatch(run, 0, 3), toBatch(run, 3, 5), toEnding(run, 8)];
  await storage.log.append(batches);
  return batches.flatMap(({ events }) => events);
}

function keep(log: readonly RecordedEvent[], seqs: readonly number[]): RecordedEvent[] {
  return log.filter(({ seq }) => seqs.includes(seq));
}
