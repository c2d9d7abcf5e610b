import type { PromiseSuite } from '../storage.harness.js';
import { ALICE, BOB, LEASE_MS, OTHER_ALICE, newRun, ownedRun, endRun } from '../storage.samples.js';

const KEY = { key: 'k-1', fingerprint: 'f-1' };

export function createPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('create', () => {
    promise('stores a pending run with all that was said of it', async ({ storage }) => {
      const input = newRun('r1', { resumeOf: 'r0', metadata: { deep: [{ a: null }] } });
      const created = await storage.runs.create(input);
      expect(created).toMatchObject({ outcome: 'created', run: { id: 'r1' } });

      const run = await storage.runs.get('r1');
      expect(created).toEqual({ outcome: 'created', run });
      const { thread: _, whenBusy: __, whenAwaiting: ___, ...facts } = input;
      expect(run).toEqual({
        ...facts,
        status: 'pending',
        epoch: 0,
        lastSeq: 0,
        firstSeq: 1,
        cancelRequested: false,
        createdAt: run?.createdAt,
      });
    });

    promise('knows no run that was not created', async ({ storage }) => {
      expect(await storage.runs.get('r1')).toBeUndefined();
    });

    promise(
      'gives the run of the first call to the same key and fingerprint, also after its end',
      async ({ storage }) => {
        const run = await ownedRun(storage, 'r1', { idempotency: KEY });
        await endRun(storage, run);
        const again = await storage.runs.create(newRun('r2', { idempotency: KEY }));
        expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1', status: 'completed' } });
        expect(await storage.runs.get('r2')).toBeUndefined();
      },
    );

    promise('finds the key also when the thread is busy with its run', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1', idempotency: KEY }));
      const again = await storage.runs.create(newRun('r2', { threadId: 't1', idempotency: KEY }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
    });

    promise('refuses a key with another fingerprint', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { idempotency: KEY }));
      const other = newRun('r2', { idempotency: { ...KEY, fingerprint: 'f-2' } });
      expect(await storage.runs.create(other)).toEqual({ outcome: 'key-reused' });
    });

    promise('keeps the keys of different users and tenants apart', async ({ storage }) => {
      for (const [index, principal] of [ALICE, BOB, OTHER_ALICE].entries()) {
        const created = await storage.runs.create(newRun(`r${index}`, { principal, idempotency: KEY }));
        expect(created).toMatchObject({ outcome: 'created' });
      }
    });

    promise(
      'takes no thread of another user or tenant, and does not say whether there is one',
      async ({ storage }) => {
        await storage.runs.create(newRun('r1', { threadId: 't1' }));
        for (const principal of [BOB, OTHER_ALICE]) {
          const created = await storage.runs.create(newRun('r2', { threadId: 't1', principal }));
          expect(created).toEqual({ outcome: 'no-thread' });
        }
      },
    );

    promise('makes a thread that must exist for nobody', async ({ storage }) => {
      const created = await storage.runs.create(newRun('r1', { threadId: 't1', thread: 'existing' }));
      expect(created).toEqual({ outcome: 'no-thread' });
      expect(await storage.runs.get('r1')).toBeUndefined();
      expect(await storage.runs.getThread('t1')).toBeUndefined();
    });

    promise('continues a thread that exists', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1' }));
      const created = await storage.runs.create(newRun('r2', { threadId: 't1', thread: 'existing' }));
      expect(created).toMatchObject({ outcome: 'created', run: { threadId: 't1' } });
    });

    promise('makes a thread whose id was minted for the run', async ({ storage }) => {
      const created = await storage.runs.create(newRun('r1', { threadId: 't1', thread: 'new' }));
      expect(created).toEqual({
        outcome: 'created',
        run: await storage.runs.get('r1'),
      });
      expect(await storage.runs.getThread('t1')).toMatchObject({ title: 'What is r1?', activeRunId: 'r1' });
    });

    promise('finds the key also when each of its starts has minted a thread', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { thread: 'new', idempotency: KEY }));
      const again = await storage.runs.create(newRun('r2', { thread: 'new', idempotency: KEY }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
      expect(await storage.runs.getThread('thread-of-r2')).toBeUndefined();
    });

    promise('refuses a busy thread and names the run that it is busy with', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const busy = { outcome: 'busy', runId: 'r1' };
      expect(await storage.runs.create(newRun('r2', { threadId: 't1' }))).toEqual(busy);
      await storage.runs.claim({ ownerId: 'owner', leaseMs: LEASE_MS });
      expect(await storage.runs.create(newRun('r2', { threadId: 't1' }))).toEqual(busy);
      expect(await storage.runs.get('r2')).toBeUndefined();
    });
  });
}
