import type { ContractSuite } from '../storage-harness.js';
import {
  LEASE_MS,
  OWNER,
  approval,
  awaitingRun,
  toBatch,
  begunRun,
  claimRun,
  claimedRun,
  endRun,
  newRun,
  toOwnership,
} from '../storage-samples.js';

export function beginContract({ describe, test, expect }: ContractSuite): void {
  describe('create with an owner', () => {
    for (const thread of ['new', 'any'] as const) {
      test(`stores a running run with an owner in a thread of the kind ${thread}`, async ({ storage }) => {
        const created = await storage.runs.create(newRun('r1', { thread, owner: OWNER }));
        const run = await storage.runs.get('r1');
        expect(created).toEqual({ outcome: 'created', run });
        expect(run).toMatchObject({ status: 'running', lastSeq: 0, startedAt: run?.createdAt });
        expect((run?.epoch ?? 0) > 0).toBe(true);
        expect(await claimRun(storage, 'other')).toBeUndefined();
      });
    }

    test('stores a running run with an owner in an existing thread', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1', thread: 'new' }));
      const next = newRun('r2', { threadId: 't1', thread: 'existing', owner: OWNER });
      expect(await storage.runs.create(next)).toMatchObject({
        outcome: 'created',
        run: { status: 'running' },
      });
    });

    test('closes the approvals that a thread waited for when a run begins in it', async ({ storage }) => {
      const { threadId } = await awaitingRun(storage, 'r1', [approval('a', 1)]);
      expect(await begunRun(storage, 'r2', { threadId })).toMatchObject({ status: 'running' });
      expect(await storage.runs.listExpired(10)).toEqual([]);
    });

    test('accepts events and renewals of the owner until its lease expires', async ({ storage, advance }) => {
      const run = await begunRun(storage, 'r1');
      expect(await storage.log.append([toBatch(run, 0, 3)])).toEqual(['appended']);
      await advance(LEASE_MS - 1);
      const renewal = { runs: [toOwnership(run)], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toMatchObject([{ outcome: 'renewed' }]);
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1', lastSeq: 3 });
    });

    test('lets another owner claim the run after its lease, and refuses the first one', async ({
      storage,
      advance,
    }) => {
      const first = await begunRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
      await advance(1);
      const second = await claimedRun(storage, 'other');
      expect(second).toMatchObject({ id: 'r1', lastSeq: 0, startedAt: first.startedAt });
      expect(second.epoch > first.epoch).toBe(true);
      expect(await storage.log.append([toBatch(first, 0)])).toEqual(['fenced']);
      const renewal = { runs: [toOwnership(first)], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toMatchObject([{ outcome: 'fenced' }]);
      expect(await storage.log.append([toBatch(second, 0)])).toEqual(['appended']);
    });

    test('lets another owner claim the run after a release', async ({ storage }) => {
      await storage.runs.release(toOwnership(await begunRun(storage, 'r1')));
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    test('stores a run as pending behind one that has not ended, even with an owner', async ({ storage }) => {
      const first = await begunRun(storage, 'r1', { threadId: 't1' });
      const second = await begunRun(storage, 'r2', { threadId: 't1', whenBusy: 'queue' });
      expect(second).toMatchObject({ status: 'pending', epoch: 0 });
      expect('startedAt' in second).toBe(false);
      expect(await storage.runs.get('r2')).toEqual(second);
      expect(await claimRun(storage)).toBeUndefined();
      await endRun(storage, first);
      expect(await claimRun(storage)).toMatchObject({ id: 'r2', status: 'running' });
    });

    test('stores a run as pending behind one that is pending too, even with an owner', async ({
      storage,
    }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const behind = await begunRun(storage, 'r2', { threadId: 't1', whenBusy: 'queue' });
      expect(behind.status).toBe('pending');
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    test('refuses a run with an owner in a busy thread', async ({ storage }) => {
      await begunRun(storage, 'r1', { threadId: 't1' });
      const refused = newRun('r2', { threadId: 't1', owner: OWNER });
      expect(await storage.runs.create(refused)).toEqual({ outcome: 'busy', runId: 'r1' });
      expect(await storage.runs.get('r2')).toBeUndefined();
    });

    test('returns the first run for the same idempotency key and leaves it to its owner', async ({
      storage,
    }) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      const first = await begunRun(storage, 'r1', { thread: 'new', idempotency });
      const repeated = newRun('r2', { thread: 'new', idempotency, owner: { ...OWNER, ownerId: 'other' } });
      expect(await storage.runs.create(repeated)).toEqual({ outcome: 'existing', run: first });
      expect(await storage.log.append([toBatch(first, 0)])).toEqual(['appended']);
    });
  });
}
