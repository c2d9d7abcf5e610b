import { getWait } from '../../../runs/run.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, LEASE_MS, OTHER_ALICE, OWNER, claimRun, newRun } from '../storage-samples.js';

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

    test('is refused when as many of its owner wait for their time as may, whatever is stored at once', async ({
      storage,
      advance,
    }) => {
      const limited = { delayMs: DELAY_MS, maxDelayed: 3 };
      const many = Array.from({ length: 6 }, (_, n) => storage.runs.create(newRun(`r${n}`, limited)));
      const outcomes = (await Promise.all(many)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(3);
      expect(outcomes.filter((outcome) => outcome === 'too-many-delayed')).toHaveLength(3);
      const refused = outcomes.indexOf('too-many-delayed');
      expect(await storage.runs.get(`r${refused}`)).toBeUndefined();
      expect(await storage.runs.getThread(ALICE, `thread-of-r${refused}`)).toBeUndefined();

      for (const principal of [BOB, OTHER_ALICE]) {
        const other = newRun(`of-${principal.tenant}-${principal.userId}`, { principal, ...limited });
        expect(await storage.runs.create(other)).toMatchObject({ outcome: 'created' });
      }
      expect(await storage.runs.create(newRun('now', { maxDelayed: 0 }))).toMatchObject({
        outcome: 'created',
      });

      const create = async (id: string) => (await storage.runs.create(newRun(id, limited))).outcome;
      await storage.runs.requestCancel(`r${outcomes.indexOf('created')}`);
      expect(await create('after-cancel')).toBe('created');
      expect(await create('too-many')).toBe('too-many-delayed');
      await advance(DELAY_MS);
      expect(await create('later')).toBe('created');
    });

    test('is found by its key although no other may be stored', async ({ storage }) => {
      const idempotency = { key: 'k', fingerprint: 'f' };
      const limited = { delayMs: DELAY_MS, maxDelayed: 1, thread: 'new' } as const;
      await storage.runs.create(newRun('r1', { ...limited, idempotency }));
      expect(await storage.runs.create(newRun('r2', limited))).toEqual({ outcome: 'too-many-delayed' });
      const again = await storage.runs.create(newRun('r3', { ...limited, idempotency }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
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
