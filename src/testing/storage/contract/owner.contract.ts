import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint';
import type { Owner, Principal } from '../../../principal.js';
import type { Run } from '../../../runs/run.js';
import type { NewRun } from '../../../runs/run.store.js';
import { CHECKPOINT_FENCE } from '../../../agents/langgraph/checkpoint-fence.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  BOB,
  OTHER_ALICE,
  OWNER,
  approval,
  awaitingRun,
  toBatch,
  begunRun,
  claimRun,
  endRun,
  newRun,
  toOwnership,
} from '../storage-samples.js';

/** Rounds of what can only go wrong in a race. */
const ROUNDS = 50;

const OWNERS: readonly Principal[] = [ALICE, BOB, OTHER_ALICE];

const METADATA = { source: 'loop', step: 0, parents: {} } as const;

export function ownerContract({ describe, test, expect }: ContractSuite): void {
  describe('owners of threads with the same id', () => {
    test('gives each owner of the same thread id a separate thread', async ({ storage }) => {
      const runs = await Promise.all(
        OWNERS.map((principal, index) => begunRun(storage, `r${index}`, { threadId: 't1', principal })),
      );
      expect(new Set(runs.map(({ threadKey }) => threadKey)).size).toBe(3);
      for (const [index, owner] of OWNERS.entries()) {
        const { userId, tenant } = owner;
        const thread = { id: 't1', owner: { userId, tenant }, activeRunId: `r${index}` };
        expect(await storage.runs.getThread(owner, 't1')).toMatchObject(thread);
        expect(await storage.runs.listThreads(owner, { limit: 10 })).toMatchObject({ items: [thread] });
        expect(await idsIn(storage, owner, 't1')).toEqual([`r${index}`]);
        expect(await storage.runs.get(`r${index}`)).toEqual(runs[index]);
      }
    });

    test('returns the same result of a start as if no other owner used the thread id', async ({
      storage,
    }) => {
      // Strangers of all kinds: busy, waiting for an answer, idle.
      await begunRun(storage, 'busy', { threadId: 'of-busy', principal: BOB });
      await awaitingRun(storage, 'waiting', [approval('a1')], { threadId: 'of-waiting', principal: BOB });
      await endRun(storage, await begunRun(storage, 'idle', { threadId: 'of-idle', principal: BOB }));
      const strict = { whenBusy: 'reject', whenAwaiting: 'reject', owner: OWNER } as const;
      for (const threadId of ['of-busy', 'of-waiting', 'of-idle', 'of-nobody']) {
        const start = (differences: Partial<NewRun>) =>
          storage.runs.create(newRun(`alice-${threadId}`, { threadId, ...strict, ...differences }));
        expect(await start({ thread: 'existing' })).toEqual({ outcome: 'no-thread' });
        expect(await storage.runs.getThread(ALICE, threadId)).toBeUndefined();
        expect(await idsIn(storage, ALICE, threadId)).toEqual([]);
        const created = await start({ thread: 'any' });
        expect(created).toMatchObject({ outcome: 'created', run: { threadId, status: 'running' } });
      }
    });

    test("does not let runs wait for those in another owner's thread of the same id", async ({ storage }) => {
      await begunRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.create(newRun('r2', { threadId: 't1', whenBusy: 'queue' }));
      await storage.runs.create(newRun('b1', { threadId: 't1', principal: BOB, whenBusy: 'queue' }));
      expect(await claimRun(storage)).toMatchObject({ id: 'b1', threadId: 't1' });
      expect(await claimRun(storage)).toBeUndefined();
    });

    test("answers inputs while another owner's thread of the same id is busy", async ({ storage }) => {
      const asked = await awaitingRun(storage, 'r1', [approval('a1')], { threadId: 't1' });
      await begunRun(storage, 'b1', { threadId: 't1', principal: BOB });
      const answered = await storage.runs.decide({
        runId: 'r1',
        answers: { a1: { decision: 'approve', by: ALICE.userId, at: 1 } },
        continuation: newRun('r2', { threadId: 't1', thread: 'existing', resumeOf: 'r1', whenBusy: 'queue' }),
      });
      const { threadKey } = asked;
      expect(answered).toMatchObject({ outcome: 'answered', continuedBy: { id: 'r2', threadKey } });
      expect(await claimRun(storage)).toMatchObject({ id: 'r2' });
    });

    test('keeps the checkpoints of threads with the same id apart', async ({ storage }) => {
      const [mine, theirs] = [
        await begunRun(storage, 'r1', { threadId: 't1' }),
        await begunRun(storage, 'b1', { threadId: 't1', principal: BOB }),
      ];
      await remember(storage, mine, 'of alice');
      expect(await readMemory(storage, theirs)).toBeUndefined();
      await remember(storage, theirs, 'of bob');
      expect([await readMemory(storage, mine), await readMemory(storage, theirs)]).toEqual([
        'of alice',
        'of bob',
      ]);
    });

    test("deletes a thread and no other owner's thread of the same id", async ({ storage }) => {
      const runs: Run[] = [];
      for (const [index, principal] of OWNERS.entries()) {
        const run = await begunRun(storage, `r${index}`, { threadId: 't1', principal });
        await remember(storage, run, `of ${index}`);
        await storage.log.append([toBatch(run, 0, 2)]);
        runs.push(run);
      }
      await storage.runs.deleteThread(BOB, 't1');
      await storage.runs.deleteThread({ userId: 'mallory', tenant: 'acme' }, 't1');
      for (const [index, run] of runs.entries()) {
        const gone = run.principal.userId === BOB.userId;
        expect((await storage.runs.getThread(run.principal, 't1'))?.id).toBe(gone ? undefined : 't1');
        expect((await storage.log.read(run.id, 0, 10)).length).toBe(gone ? 0 : 2);
        expect(await readMemory(storage, run)).toBe(gone ? undefined : `of ${index}`);
      }
    });

    test("deletes an idle thread by retention and no other owner's thread of the same id", async ({
      storage,
    }) => {
      const idle = await begunRun(storage, 'r1', { threadId: 't1' });
      await remember(storage, idle, 'of alice');
      await endRun(storage, idle);
      const busy = await begunRun(storage, 'b1', { threadId: 't1', principal: BOB });
      await remember(storage, busy, 'of bob');
      const all = { unchangedSince: Number.MAX_SAFE_INTEGER, limit: 10 };
      const owner = { userId: ALICE.userId, tenant: ALICE.tenant };
      expect(await storage.retention.deleteIdleThreads(all)).toEqual([{ id: 't1', owner }]);
      expect(await storage.runs.getThread(BOB, 't1')).toMatchObject({ activeRunId: 'b1' });
      expect([await readMemory(storage, idle), await readMemory(storage, busy)]).toEqual([
        undefined,
        'of bob',
      ]);
    });

    test('accepts the same idempotency key from each owner of the same thread id', async ({ storage }) => {
      const idempotency = { key: 'k', fingerprint: 'f' };
      for (const [index, principal] of OWNERS.entries()) {
        const run = newRun(`r${index}`, { threadId: 't1', principal, idempotency });
        expect(await storage.runs.create(run)).toMatchObject({
          outcome: 'created',
          run: { id: `r${index}` },
        });
      }
    });

    test('keeps owners apart even if their joined names are equal', async ({ storage }) => {
      const names: [string, string, string][] = [
        ['a', 'b', 'c'],
        ['a","b', 'c', 'd'],
        ['a', 'b","c', 'd'],
        ['a/b', 'c', 'd'],
        ['a', 'b/c', 'd'],
        ['a', 'b', 'c/d'],
        ['', 'a', 'd'],
        ['a', '', 'd'],
      ];
      for (const [index, [tenant, userId, threadId]] of names.entries()) {
        await storage.runs.create(
          newRun(`r${index}`, { threadId, principal: { tenant, userId, roles: [] } }),
        );
      }
      for (const [index, [tenant, userId, threadId]] of names.entries()) {
        expect(await idsIn(storage, { tenant, userId }, threadId)).toEqual([`r${index}`]);
        await storage.runs.deleteThread({ tenant, userId }, threadId);
      }
    });

    test('keeps a thread id that was made for one owner when another uses it', async ({ storage }) => {
      const minted = await begunRun(storage, 'r1', { threadId: 't1', thread: 'new' });
      const other = await begunRun(storage, 'b1', { threadId: 't1', thread: 'any', principal: BOB });
      expect(other.threadKey === minted.threadKey).toBe(false);
      await endRun(storage, minted);
      for (const thread of ['existing', 'any'] as const) {
        const next = await begunRun(storage, `r-${thread}`, { threadId: 't1', thread });
        expect(next.threadKey).toBe(minted.threadKey);
        await endRun(storage, next);
      }
      expect(await idsIn(storage, BOB, 't1')).toEqual(['b1']);
    });
  });

  describe('a deleted thread', () => {
    test('leaves nothing of a deleted thread in any table', async ({ storage, whereIs }) => {
      const threadId = 'thread-to-be-deleted';
      const idempotency = { key: 'key-to-be-deleted', fingerprint: 'f' };
      const message = 'words-to-be-deleted';
      const run = await begunRun(storage, 'run-to-be-deleted', { threadId, message, idempotency });
      await storage.log.append([toBatch(run, 0, 3)]);
      await remember(storage, run, 'state-to-be-deleted');
      const texts = [threadId, run.threadKey, run.id, message, idempotency.key];
      if (whereIs) for (const text of texts) expect((await whereIs(text)).length > 0).toBe(true);

      await storage.runs.deleteThread(ALICE, threadId);
      for (const text of texts) expect((await whereIs?.(text)) ?? []).toEqual([]);
      expect(await readMemory(storage, run)).toBeUndefined();
    });

    test('stores no checkpoints or events of a deleted run that is still working', async ({
      storage,
      whereIs,
    }) => {
      const run = await begunRun(storage, 'run-to-be-deleted', { threadId: 't1' });
      await remember(storage, run, 'before');
      const place = {
        configurable: { thread_id: run.threadKey, checkpoint_ns: '', checkpoint_id: uuid6(0) },
      };
      const fenced = { configurable: { ...place.configurable, [CHECKPOINT_FENCE]: toOwnership(run) } };
      await storage.runs.deleteThread(ALICE, 't1');
      await expect(remember(storage, run, 'after')).rejects.toThrow();
      await expect(storage.checkpointer.putWrites(fenced, [['text', 'after']], 'task')).rejects.toThrow();
      expect(await storage.log.append([toBatch(run, 0)])).toEqual(['fenced']);
      expect(await readMemory(storage, run)).toBeUndefined();
      expect((await whereIs?.('run-to-be-deleted')) ?? []).toEqual([]);
    });

    test('leaves no checkpoints of a deleted thread to later threads with the same id, of any owner', async ({
      storage,
    }) => {
      const keys = new Set<string>();
      for (const [index, principal] of [ALICE, ALICE, BOB, ALICE].entries()) {
        const run = await begunRun(storage, `r${index}`, { threadId: 't1', principal });
        expect(await readMemory(storage, run)).toBeUndefined();
        await remember(storage, run, 'secret');
        await storage.runs.deleteThread(principal, 't1');
        keys.add(run.threadKey);
      }
      expect(keys.size).toBe(4);
    });

    test('leaves nothing of a deleted thread whose run is working while others start under its id', async ({
      storage,
      whereIs,
    }) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const run = await begunRun(storage, `gone-${round}`, { threadId: 't1' });
        await remember(storage, run, 'secret');
        const late = (work: Promise<unknown>) => work.catch(() => undefined);
        const [, , , ...started] = await Promise.all([
          storage.runs.deleteThread(ALICE, 't1'),
          late(remember(storage, run, 'late')),
          late(storage.log.append([toBatch(run, 0, 2)])),
          ...[BOB, OTHER_ALICE].map((principal) =>
            begunRun(storage, `${principal.tenant}-${principal.userId}-${round}`, {
              threadId: 't1',
              principal,
            }),
          ),
          late(begunRun(storage, `again-${round}`, { threadId: 't1', whenBusy: 'queue' })),
        ]);
        for (const other of started as (Run | undefined)[]) {
          if (other && other.threadKey !== run.threadKey)
            expect(await readMemory(storage, other)).toBeUndefined();
        }
        expect(await storage.runs.get(run.id)).toBeUndefined();
        expect(await readMemory(storage, run)).toBeUndefined();
        expect((await whereIs?.(run.threadKey)) ?? []).toEqual([]);
        for (const owner of OWNERS) await storage.runs.deleteThread(owner, 't1');
      }
    });
  });
}

async function idsIn(storage: Storage, owner: Owner, threadId: string): Promise<string[]> {
  return (await storage.runs.listRuns(owner, threadId, { limit: 10 })).items.map(({ id }) => id);
}

/** Stores a state of the run's thread, with a task's writes beside it, as the run's owner. */
async function remember(storage: Storage, run: Run, text: string): Promise<void> {
  const { checkpointer } = storage;
  const configurable = { thread_id: run.threadKey, checkpoint_ns: '', [CHECKPOINT_FENCE]: toOwnership(run) };
  const versions = { text: 1 };
  const checkpoint = {
    ...emptyCheckpoint(),
    id: uuid6(0),
    channel_values: { text },
    channel_versions: versions,
  };
  const saved = await checkpointer.put({ configurable }, checkpoint, METADATA, versions);
  const place = { configurable: { ...saved.configurable, [CHECKPOINT_FENCE]: toOwnership(run) } };
  // LangGraph's declaration has three parameters; the savers take the path as a fourth.
  const putWrites = checkpointer.putWrites.bind(checkpointer) as (...all: unknown[]) => Promise<void>;
  await putWrites(place, [['text', text]], 'task', 'path');
}

async function readMemory(storage: Storage, { threadKey }: Run): Promise<unknown> {
  const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadKey } });
  return tuple?.checkpoint.channel_values['text'];
}
