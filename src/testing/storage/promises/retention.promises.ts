import type { RecordedEvent } from '../../../events/recorded-event.js';
import type { Storage } from '../../../storage/storage.js';
import type { PromiseSuite } from '../storage.harness.js';
import { batchOf, claimRun, endingOf, endRun, newRun, ownedRun } from '../storage.samples.js';

export function retentionPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('compact', () => {
    promise(
      'puts a part of the log in place of the whole, and leaves the run as it was',
      async ({ storage }) => {
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
      },
    );

    promise('says in the run where the log now begins', async ({ storage }) => {
      const whole = await endedLog(storage, 'r1');
      await storage.retention.compact('r1', keep(whole, [8, 9]));
      expect(await storage.runs.get('r1')).toMatchObject({ firstSeq: 8, lastSeq: 9 });
    });

    promise(
      'refuses a run that has not ended, twice the same, and a log without its end',
      async ({ storage }) => {
        const whole = await endedLog(storage, 'r1');
        expect(await storage.retention.compact('r1', keep(whole, [1, 8]))).toBe('refused');
        expect(await storage.retention.compact('r1', [])).toBe('refused');
        expect(await storage.log.read('r1', 0, 100)).toEqual(whole);
        expect(await storage.retention.compact('r1', keep(whole, [1, 9]))).toBe('compacted');
        expect(await storage.retention.compact('r1', keep(whole, [9]))).toBe('refused');
        expect(await storage.log.read('r1', 0, 100)).toHaveLength(2);

        const running = await ownedRun(storage, 'r2');
        const batch = batchOf(running, 0, 3);
        await storage.log.append([batch]);
        expect(await storage.retention.compact('r2', batch.events.slice(2))).toBe('refused');
        expect(await storage.retention.compact('r3', batch.events)).toBe('refused');
        expect(await storage.log.read('r2', 0, 100)).toEqual(batch.events);
      },
    );

    promise(
      'is due for runs that ended before a moment, earliest end first, once',
      async ({ storage, advance }) => {
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
      },
    );
  });

  describe('deleteIdleThreads', () => {
    promise(
      'removes what has not changed since a moment, longest unchanged first',
      async ({ storage, advance }) => {
        const changedAt: number[] = [];
        for (const id of ['t1', 't2', 't3']) {
          await endRun(storage, await ownedRun(storage, `run-of-${id}`, { threadId: id }));
          changedAt.push((await storage.runs.getThread(id))?.updatedAt ?? 0);
          await advance(10);
        }
        const remove = (unchangedSince: number, limit = 10) =>
          storage.retention.deleteIdleThreads({ unchangedSince, limit });
        expect(await remove(changedAt[0] ?? 0)).toEqual([]);
        expect(await remove(Number.MAX_SAFE_INTEGER, 1)).toEqual(['t1']);
        expect(await remove(changedAt[2] ?? 0)).toEqual(['t2']);
        expect(await storage.runs.getThread('t2')).toBeUndefined();
        expect(await storage.runs.get('run-of-t2')).toBeUndefined();
        expect(await storage.log.read('run-of-t2', 0, 10)).toEqual([]);
        expect(await storage.log.read('run-of-t3', 0, 10)).toHaveLength(1);
      },
    );

    promise('spares a thread with a run that runs or waits, however old', async ({ storage, advance }) => {
      const running = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.create(newRun('r2', { threadId: 't2' }));
      await advance(1_000_000);
      const all = { unchangedSince: Number.MAX_SAFE_INTEGER, limit: 10 };
      expect(await storage.retention.deleteIdleThreads(all)).toEqual([]);
      await endRun(storage, running);
      expect(await storage.retention.deleteIdleThreads(all)).toEqual(['t1']);
      expect(await claimRun(storage)).toMatchObject({ id: 'r2' });
    });
  });

  describe('usedBytes', () => {
    promise('grow with what is stored and shrink when it is removed', async ({ storage }) => {
      const before = await storage.retention.usedBytes();
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([batchOf(run, 0, 2_000)]);
      await storage.log.append([endingOf(run, 2_000)]);
      const full = await storage.retention.usedBytes();
      expect(full - before > 2_000 * 'word '.length).toBe(true);
      await storage.runs.deleteThread('t1');
      expect((await storage.retention.usedBytes()) < full).toBe(true);
      while (await storage.retention.shrink());
      expect(await storage.retention.shrink()).toBe(false);
    });
  });
}

/** A run that has ended, with nine events. */
async function endedLog(storage: Storage, id: string): Promise<readonly RecordedEvent[]> {
  const run = await ownedRun(storage, id);
  const batches = [batchOf(run, 0, 3), batchOf(run, 3, 5), endingOf(run, 8)];
  await storage.log.append(batches);
  return batches.flatMap(({ events }) => events);
}

function keep(log: readonly RecordedEvent[], seqs: readonly number[]): RecordedEvent[] {
  return log.filter(({ seq }) => seqs.includes(seq));
}
