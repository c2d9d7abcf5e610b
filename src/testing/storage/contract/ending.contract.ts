import type { ContractSuite } from '../storage-harness.js';
import { ALICE, LEASE_MS, USAGE, toBatch, toEnding, ownedRun, claimedRun } from '../storage-samples.js';

export function endingContract({ describe, test, expect }: ContractSuite): void {
  describe('the end of a run', () => {
    test('stores the end of a run in the same step that appends its last event', async ({
      storage,
      advance,
    }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([toBatch(run, 0, 2)]);
      await advance(5);
      expect(await storage.log.append([toEnding(run, 2)])).toEqual(['appended']);
      const ended = await storage.runs.get('r1');
      expect(ended).toMatchObject({ status: 'completed', lastSeq: 3, usage: USAGE });
      expect(ended?.error).toBeUndefined();
      expect((ended?.endedAt ?? 0) - (run.startedAt ?? 0)).toBe(5);
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBeUndefined();
    });

    test('stores the error of a failed run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([toEnding(run, 0, 'failed')]);
      const error = { code: 'RUN_FAILED', message: 'No table.', retryable: true, name: 'QueryError' };
      expect(await storage.runs.get('r1')).toMatchObject({ status: 'failed', error });
    });

    test('does not end a run whose last batch is refused', async ({ storage, advance }) => {
      const old = await ownedRun(storage, 'r1');
      await advance(LEASE_MS);
      const { epoch } = await claimedRun(storage, 'other');
      expect(await storage.log.append([toEnding(old, 0)])).toEqual(['fenced']);
      const run = await storage.runs.get('r1');
      expect(run).toMatchObject({ status: 'running', epoch, lastSeq: 0 });
      expect(run?.endedAt).toBeUndefined();
    });

    test('accepts the end of a run only once', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const ends = [toEnding(run, 0), toEnding(run, 0, 'failed')].map((end) => storage.log.append([end]));
      expect(await Promise.all(ends)).toEqual([['appended'], ['fenced']]);
      expect((await storage.runs.get('r1'))?.status).toBe('completed');
    });
  });
}
