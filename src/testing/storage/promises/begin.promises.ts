import type { PromiseSuite } from '../storage.harness.js';
import {
  LEASE_MS,
  OWNER,
  approval,
  awaitingRun,
  batchOf,
  begunRun,
  claimRun,
  claimedRun,
  endRun,
  newRun,
  ownershipOf,
} from '../storage.samples.js';

export function beginPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('create, with an owner', () => {
    for (const thread of ['new', 'any'] as const) {
      promise(
        `stores a run that is running and owned, in a thread that is ${thread}`,
        async ({ storage }) => {
          const created = await storage.runs.create(newRun('r1', { thread, owner: OWNER }));
          const run = await storage.runs.get('r1');
          expect(created).toEqual({ outcome: 'created', run });
          expect(run).toMatchObject({ status: 'running', lastSeq: 0, startedAt: run?.createdAt });
          expect((run?.epoch ?? 0) > 0).toBe(true);
          expect(await claimRun(storage, 'other')).toBeUndefined();
        },
      );
    }

    promise('stores a run that goes on in its thread', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1', thread: 'new' }));
      const next = newRun('r2', { threadId: 't1', thread: 'existing', owner: OWNER });
      expect(await storage.runs.create(next)).toMatchObject({
        outcome: 'created',
        run: { status: 'running' },
      });
    });

    promise('lets approvals go that its thread waited for', async ({ storage }) => {
      const { threadId } = await awaitingRun(storage, 'r1', [approval('a', 1)]);
      expect(await begunRun(storage, 'r2', { threadId })).toMatchObject({ status: 'running' });
      expect(await storage.runs.listExpired(10)).toEqual([]);
    });

    promise('takes what the owner appends, prolongs its lease, and ends', async ({ storage, advance }) => {
      const run = await begunRun(storage, 'r1');
      expect(await storage.log.append([batchOf(run, 0, 3)])).toEqual(['appended']);
      await advance(LEASE_MS - 1);
      const renewal = { runs: [ownershipOf(run)], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toMatchObject([{ outcome: 'renewed' }]);
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1', lastSeq: 3 });
    });

    promise(
      'gives the run to the next when its lease has run out, and refuses the first owner',
      async ({ storage, advance }) => {
        const first = await begunRun(storage, 'r1');
        await advance(LEASE_MS - 1);
        expect(await claimRun(storage, 'other')).toBeUndefined();
        await advance(1);
        const second = await claimedRun(storage, 'other');
        expect(second).toMatchObject({ id: 'r1', lastSeq: 0, startedAt: first.startedAt });
        expect(second.epoch > first.epoch).toBe(true);
        expect(await storage.log.append([batchOf(first, 0)])).toEqual(['fenced']);
        const renewal = { runs: [ownershipOf(first)], leaseMs: LEASE_MS };
        expect(await storage.runs.renew(renewal)).toMatchObject([{ outcome: 'fenced' }]);
        expect(await storage.log.append([batchOf(second, 0)])).toEqual(['appended']);
      },
    );

    promise('gives the run to the next when its owner gives it back', async ({ storage }) => {
      await storage.runs.release(ownershipOf(await begunRun(storage, 'r1')));
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    promise('lets a run wait behind one that has not ended', async ({ storage }) => {
      const first = await begunRun(storage, 'r1', { threadId: 't1' });
      const second = await begunRun(storage, 'r2', { threadId: 't1', whenBusy: 'queue' });
      expect(second).toMatchObject({ status: 'pending', epoch: 0 });
      expect('startedAt' in second).toBe(false);
      expect(await storage.runs.get('r2')).toEqual(second);
      expect(await claimRun(storage)).toBeUndefined();
      await endRun(storage, first);
      expect(await claimRun(storage)).toMatchObject({ id: 'r2', status: 'running' });
    });

    promise('lets a run wait behind one that waits itself', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const behind = await begunRun(storage, 'r2', { threadId: 't1', whenBusy: 'queue' });
      expect(behind.status).toBe('pending');
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    promise('refuses what it refuses without one', async ({ storage }) => {
      await begunRun(storage, 'r1', { threadId: 't1' });
      const refused = newRun('r2', { threadId: 't1', owner: OWNER });
      expect(await storage.runs.create(refused)).toEqual({ outcome: 'busy', runId: 'r1' });
      expect(await storage.runs.get('r2')).toBeUndefined();
    });

    promise(
      'gives the run of the first call to the same key, and leaves it to its owner',
      async ({ storage }) => {
        const idempotency = { key: 'k-1', fingerprint: 'f-1' };
        const first = await begunRun(storage, 'r1', { thread: 'new', idempotency });
        const repeated = newRun('r2', { thread: 'new', idempotency, owner: { ...OWNER, ownerId: 'other' } });
        expect(await storage.runs.create(repeated)).toEqual({ outcome: 'existing', run: first });
        expect(await storage.log.append([batchOf(first, 0)])).toEqual(['appended']);
      },
    );
  });
}
