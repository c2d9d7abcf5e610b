import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, USAGE, batchOf, endingOf, ownedRun, claimedRun } from '../storage.samples.js';

export function endingPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('ending', () => {
    promise('ends the run in the step that appends its last event', async ({ storage, advance }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([batchOf(run, 0, 2)]);
      await advance(5);
      expect(await storage.log.append([endingOf(run, 2)])).toEqual(['appended']);
      const ended = await storage.runs.get('r1');
      expect(ended).toMatchObject({ status: 'completed', lastSeq: 3, usage: USAGE });
      expect(ended?.error).toBeUndefined();
      expect((ended?.endedAt ?? 0) - (run.startedAt ?? 0)).toBe(5);
      expect((await storage.runs.getThread('t1'))?.activeRunId).toBeUndefined();
    });

    promise('keeps what a failed run may say of its failure', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([endingOf(run, 0, 'failed')]);
      const error = { code: 'RUN_FAILED', message: 'The agent failed.', retryable: true };
      expect(await storage.runs.get('r1')).toMatchObject({ status: 'failed', error });
    });

    promise('does not end a run whose last batch is refused', async ({ storage, advance }) => {
      const old = await ownedRun(storage, 'r1');
      await advance(LEASE_MS);
      const { epoch } = await claimedRun(storage, 'other');
      expect(await storage.log.append([endingOf(old, 0)])).toEqual(['fenced']);
      const run = await storage.runs.get('r1');
      expect(run).toMatchObject({ status: 'running', epoch, lastSeq: 0 });
      expect(run?.endedAt).toBeUndefined();
    });

    promise('takes only one of two ends', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const ends = [endingOf(run, 0), endingOf(run, 0, 'failed')].map((end) => storage.log.append([end]));
      expect(await Promise.all(ends)).toEqual([['appended'], ['fenced']]);
      expect((await storage.runs.get('r1'))?.status).toBe('completed');
    });
  });
}
