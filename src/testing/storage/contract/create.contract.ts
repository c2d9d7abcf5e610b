import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, LEASE_MS, OTHER_ALICE, newRun, ownedRun, endRun } from '../storage-samples.js';

const KEY = { key: 'k-1', fingerprint: 'f-1' };

export function createContract({ describe, test, expect }: ContractSuite): void {
  describe('create', () => {
    test('stores a new run as pending with all fields of the request', async ({ storage }) => {
      const given = {
        input: { messages: [{ role: 'user', content: [{ type: 'text', text: 'é' }] }] },
        context: { a: 1 },
      };
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      const input = newRun('r1', { resumeOf: 'r0', metadata: { deep: [{ a: null }] }, given, traceparent });
      const created = await storage.runs.create(input);
      expect(created).toMatchObject({ outcome: 'created', run: { id: 'r1' } });

      const run = await storage.runs.get('r1');
      expect(created).toEqual({ outcome: 'created', run });
      const { thread: _, whenBusy: __, whenAwaiting: ___, ...facts } = input;
      expect(run).toEqual({
        ...facts,
        threadKey: run?.threadKey,
        status: 'pending',
        epoch: 0,
        lastSeq: 0,
        firstSeq: 1,
        cancelRequested: false,
        createdAt: run?.createdAt,
      });
    });

    test('does not return a run that was not created', async ({ storage }) => {
      expect(await storage.runs.get('r1')).toBeUndefined();
    });

    test('returns the first run for the same key and fingerprint, even after its end', async ({
      storage,
    }) => {
      const run = await ownedRun(storage, 'r1', { idempotency: KEY });
      await endRun(storage, run);
      const again = await storage.runs.create(newRun('r2', { idempotency: KEY }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1', status: 'completed' } });
      expect(await storage.runs.get('r2')).toBeUndefined();
    });

    test('returns the first run for the same key even when the thread is busy with it', async ({
      storage,
    }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1', idempotency: KEY }));
      const again = await storage.runs.create(newRun('r2', { threadId: 't1', idempotency: KEY }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
    });

    test('finds a run by the key of its owner only, in its current state', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { idempotency: KEY }));
      await storage.runs.create(newRun('r2'));
      const found = await storage.runs.findByKey(ALICE, KEY.key);
      expect(found).toEqual({ run: await storage.runs.get('r1'), fingerprint: KEY.fingerprint });
      expect(await storage.runs.findByKey(ALICE, 'k-2')).toBeUndefined();
      for (const stranger of [BOB, OTHER_ALICE])
        expect(await storage.runs.findByKey(stranger, KEY.key)).toBeUndefined();
    });

    test('refuses a key with another fingerprint', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { idempotency: KEY }));
      const other = newRun('r2', { idempotency: { ...KEY, fingerprint: 'f-2' } });
      expect(await storage.runs.create(other)).toEqual({ outcome: 'key-reused' });
    });

    test('keeps the keys of different users and tenants apart', async ({ storage }) => {
      for (const [index, principal] of [ALICE, BOB, OTHER_ALICE].entries()) {
        const created = await storage.runs.create(newRun(`r${index}`, { principal, idempotency: KEY }));
        expect(created).toMatchObject({ outcome: 'created' });
      }
    });

    test('refuses a run whose thread must exist and does not, and creates no thread', async ({ storage }) => {
      const created = await storage.runs.create(newRun('r1', { threadId: 't1', thread: 'existing' }));
      expect(created).toEqual({ outcome: 'no-thread' });
      expect(await storage.runs.get('r1')).toBeUndefined();
      expect(await storage.runs.getThread(ALICE, 't1')).toBeUndefined();
    });

    test('continues a thread that exists', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1' }));
      const created = await storage.runs.create(newRun('r2', { threadId: 't1', thread: 'existing' }));
      expect(created).toMatchObject({ outcome: 'created', run: { threadId: 't1' } });
    });

    test('creates a thread whose id was made for the run', async ({ storage }) => {
      const created = await storage.runs.create(newRun('r1', { threadId: 't1', thread: 'new' }));
      expect(created).toEqual({
        outcome: 'created',
        run: await storage.runs.get('r1'),
      });
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({
        title: 'What is r1?',
        activeRunId: 'r1',
      });
    });

    test('returns the first run for the same key even when each start has made a new thread id', async ({
      storage,
    }) => {
      await storage.runs.create(newRun('r1', { thread: 'new', idempotency: KEY }));
      const again = await storage.runs.create(newRun('r2', { thread: 'new', idempotency: KEY }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
      expect(await storage.runs.getThread(ALICE, 'thread-of-r2')).toBeUndefined();
    });

    test('refuses a busy thread and names the run that it is busy with', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const busy = { outcome: 'busy', runId: 'r1' };
      expect(await storage.runs.create(newRun('r2', { threadId: 't1' }))).toEqual(busy);
      await storage.runs.claim({ ownerId: 'owner', leaseMs: LEASE_MS });
      expect(await storage.runs.create(newRun('r2', { threadId: 't1' }))).toEqual(busy);
      expect(await storage.runs.get('r2')).toBeUndefined();
    });
  });
}
