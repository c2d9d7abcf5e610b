import type { ContractSuite } from '../storage-harness.js';
import { ALICE, LEASE_MS, OWNER, claimRun, newRun } from '../storage-samples.js';

export function concurrencyContract({ describe, test, expect }: ContractSuite): void {
  describe('concurrent calls', () => {
    test('starts one run for a hundred concurrent starts with one key', async ({ storage }) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      const ids = Array.from({ length: 100 }, (_, index) => `r${index}`);
      const results = await Promise.all(
        ids.map((id) => storage.runs.create(newRun(id, { threadId: 't1', idempotency }))),
      );
      expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(results.filter(({ outcome }) => outcome === 'existing')).toHaveLength(99);
      const started = new Set(results.map((result) => ('run' in result ? result.run.id : undefined)));
      expect(started.size).toBe(1);
      expect((await storage.runs.listRuns(ALICE, 't1', { limit: 200 })).items).toHaveLength(1);
    });

    test('starts one run for twenty concurrent starts in one thread, and names it to the other nineteen', async ({
      storage,
    }) => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          storage.runs.create(newRun(`r${index}`, { threadId: 't1' })),
        ),
      );
      const created = results.flatMap((result) => (result.outcome === 'created' ? [result.run.id] : []));
      expect(created).toHaveLength(1);
      const busyWith = results.flatMap((result) => (result.outcome === 'busy' ? [result.runId] : []));
      expect(busyWith).toEqual(Array.from({ length: 19 }, () => created[0]));
    });

    test('gives one of twenty concurrent starts in a thread its owner and queues the others', async ({
      storage,
    }) => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const owner = { ownerId: `owner-${index}`, leaseMs: LEASE_MS };
          return storage.runs.create(newRun(`r${index}`, { threadId: 't1', whenBusy: 'queue', owner }));
        }),
      );
      const runs = results.flatMap((result) => (result.outcome === 'created' ? [result.run] : []));
      expect(runs).toHaveLength(20);
      const begun = runs.filter(({ status }) => status === 'running');
      expect(begun).toHaveLength(1);
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBe(begun[0]?.id);
      expect(await claimRun(storage)).toBeUndefined();
    });

    test('gives a run that starts with an owner to that owner, beside twenty claims', async ({ storage }) => {
      const [created, ...claims] = await Promise.all([
        storage.runs.create(newRun('r1', { thread: 'new', owner: OWNER })),
        ...Array.from({ length: 20 }, (_, index) => claimRun(storage, `owner-${index}`)),
      ]);
      expect(created).toMatchObject({ outcome: 'created', run: { status: 'running' } });
      expect(claims.filter(Boolean)).toHaveLength(0);
    });

    test('returns each run once to twenty concurrent claims', async ({ storage }) => {
      for (let index = 0; index < 15; index += 1) await storage.runs.create(newRun(`r${index}`));
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, index) => claimRun(storage, `owner-${index}`)),
      );
      const claimed = claims.flatMap((run) => (run ? [run.id] : []));
      expect(claimed).toHaveLength(15);
      expect(new Set(claimed).size).toBe(15);
    });
  });
}
