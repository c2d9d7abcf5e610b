import { getWait } from '../../../runs/run.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, LEASE_MS, OWNER, claimRun, newRun } from '../storage-samples.js';

const DELAY_MS = 5_000;

export function delayContract({ describe, test, expect }: ContractSuite): void {
  describe('a run that begins later', () => {
    test('is pending, has no owner, and is claimed once its time has come', async ({ storage, advance }) => {
      const created = await storage.runs.create(newRun('r1', { delayMs: DELAY_MS, owner: OWNER }));
      expect(created).toMatchObject({ outcome: 'created', run: { id: 'r1', status: 'pending' } });
      expect(await storage.runs.get('r1')).toMatchObject({ status: 'pending', epoch: 0 });
      await advance(DELAY_MS - 1);
      expect(await claimRun(storage)).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', status: 'running' });
      const run = await storage.runs.get('r1');
      expect(run && getWait(run)).toBe(0);
    });

    test('does not keep later runs of other threads from their turn', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { delayMs: DELAY_MS }));
      await storage.runs.create(newRun('r2'));
      expect(await claimRun(storage)).toMatchObject({ id: 'r2' });
      const limited = { ...OWNER, maxRunsPerPrincipal: 2 };
      const third = await storage.runs.create(newRun('r3', { owner: limited }));
      expect(third).toMatchObject({ run: { status: 'running' } });
    });

    test('keeps its thread busy, and later runs of the thread wait for it', async ({ storage, advance }) => {
      await storage.runs.create(newRun('r1', { threadId: 't', thread: 'any', delayMs: DELAY_MS }));
      const next = { threadId: 't', thread: 'any' } as const;
      expect(await storage.runs.create(newRun('r2', { ...next, whenBusy: 'reject' }))).toMatchObject({
        outcome: 'busy',
        runId: 'r1',
      });
      await storage.runs.create(newRun('r3', { ...next, whenBusy: 'queue' }));
      expect(await claimRun(storage)).toBeUndefined();
      expect(await storage.runs.getThread(ALICE, 't')).toMatchObject({ activeRunId: 'r1' });
      await advance(DELAY_MS);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
      expect(await claimRun(storage)).toBeUndefined();
    });

    test('may be claimed at once when it is cancelled', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { delayMs: DELAY_MS }));
      expect(await storage.runs.requestCancel('r1')).toMatchObject({
        status: 'pending',
        cancelRequested: true,
      });
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', cancelRequested: true });
    });

    test('is found among the pending runs, but is not counted as one that waits for an owner', async ({
      storage,
      advance,
    }) => {
      await storage.runs.create(newRun('r1', { delayMs: LEASE_MS }));
      const { items } = await storage.runs.findRuns({ status: ['pending'] }, { limit: 10 });
      expect(items).toMatchObject([{ id: 'r1', status: 'pending' }]);
      expect(await storage.runs.countUnended()).toEqual({ pending: 0, running: 0 });
      await advance(LEASE_MS);
      await claimRun(storage);
      expect(await storage.runs.countUnended()).toMatchObject({ pending: 0, running: 1 });
    });

    test('waits for an owner since its time has come', async ({ storage, advance }) => {
      await storage.runs.create(newRun('r1', { delayMs: DELAY_MS }));
      await storage.runs.create(newRun('r2', { delayMs: DELAY_MS }));
      await advance(DELAY_MS * 2);
      const claimed = await claimRun(storage);
      const waits = await storage.runs.get(claimed?.id === 'r1' ? 'r2' : 'r1');
      expect(await storage.runs.countUnended()).toEqual({
        pending: 1,
        running: 1,
        oldestPendingAt: (waits?.createdAt ?? 0) + DELAY_MS,
      });
    });
  });
}
