import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint';
import { CHECKPOINT_FENCE } from '../../../agents/langgraph/checkpoint-fence.js';
import { withRunId } from '../../../agents/langgraph/checkpoint-run.js';
import type { Run } from '../../../runs/run.js';
import { nextVersion } from '../../../storage/checkpoint-versions.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  approval,
  awaitingRun,
  begunRun,
  BOB,
  claimedRun,
  endRun,
  newRun,
  OTHER_ALICE,
  ownedRun,
  toBatch,
  toEnding,
  toOwnership,
} from '../storage-samples.js';

export function runDeletionContract({ describe, test, expect }: ContractSuite): void {
  const remove = (storage: Storage, runId: string, files: readonly string[] = []) =>
    storage.runs.deleteRun({ owner: ALICE, runId, files });

  describe('deleteRun', () => {
    test('removes an ended run with its log, and leaves the others of its thread', async ({ storage }) => {
      for (const id of ['r1', 'r2']) {
        const run = await ownedRun(storage, id, { threadId: 't1' });
        await storage.log.append([toBatch(run, 0, 2)]);
        await storage.log.append([toEnding(run, 2)]);
      }
      expect(await remove(storage, 'r2')).toEqual({ outcome: 'deleted' });
      expect(await storage.runs.get('r2')).toBeUndefined();
      expect(await storage.log.read('r2', 0, 10)).toEqual([]);
      expect(await storage.log.read('r1', 0, 10)).toHaveLength(3);
      const { items } = await storage.runs.listRuns(ALICE, 't1', { limit: 10 });
      expect(items.map(({ id }) => id)).toEqual(['r1']);
      const next = await storage.runs.create(newRun('r3', { threadId: 't1' }));
      expect(next).toMatchObject({ outcome: 'created', run: { parentId: 'r1' } });
    });

    test('leaves nothing of it in any table', async ({ storage, whereIs }) => {
      const idempotency = { key: 'a-key', fingerprint: 'f' };
      const run = await ownedRun(storage, 'gone', { threadId: 't1', idempotency, message: 'Thyme?' });
      await putCheckpoint(storage, run, 'Thyme!');
      const said = { owner: ALICE, question: 'Thyme?', answer: 'Thyme!' };
      const { ending, ...batch } = toEnding(run, 0);
      await storage.log.append([{ ...batch, ...(ending && { ending: { ...ending, said } }) }]);
      expect(await remove(storage, 'gone')).toEqual({ outcome: 'deleted' });
      expect((await whereIs?.('Thyme')) ?? []).toEqual([]);
      const word = { terms: [{ word: 'thyme', isPrefix: false }], limit: 10 };
      expect((await storage.runs.searchThreads(ALICE, word)).items).toEqual([]);
      expect(await storage.runs.create(newRun('again', { idempotency }))).toMatchObject({
        outcome: 'created',
      });
    });

    test('gives the thread another title, if it had that of the deleted run', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      await endRun(storage, await begunRun(storage, 'r2', { threadId: 't1', parentId: null }));
      await remove(storage, 'r1');
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'What is r2?' });
      await storage.runs.changeThread(ALICE, 't1', { title: 'Herbs' });
      await remove(storage, 'r2');
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'Herbs' });
    });

    test('removes the states that it has stored, and no others', async ({ storage }) => {
      const first = await ownedRun(storage, 'r1', { threadId: 't1' });
      await putCheckpoint(storage, first, 'first');
      await endRun(storage, first);
      const { threadKey } = first;
      const second = await ownedRun(storage, 'r2', { threadId: 't1' });
      await putCheckpoint(storage, second, 'second');
      await endRun(storage, second);
      expect(await remove(storage, 'r2')).toEqual({ outcome: 'deleted' });
      const config = { configurable: { thread_id: threadKey, checkpoint_ns: '' } };
      const texts: unknown[] = [];
      for await (const { checkpoint } of storage.checkpointer.list(config))
        texts.push(checkpoint.channel_values['text']);
      expect(texts).toEqual(['first']);
      await remove(storage, 'r1');
      expect(await storage.checkpointer.getTuple(config)).toBeUndefined();
    });

    test('still counts what it has used', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1' }));
      const query = { by: ['tenant'], limit: 10 } as const;
      const before = await storage.runs.listSpending(query);
      await remove(storage, 'r1');
      expect(await storage.runs.listSpending(query)).toEqual(before);
    });

    test('refuses a run that has not ended, one that others continue from, and one of another owner', async ({
      storage,
    }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      const active = await begunRun(storage, 'r2', { threadId: 't1' });
      expect(await remove(storage, 'r2')).toEqual({ outcome: 'unended' });
      expect(await remove(storage, 'r1')).toEqual({ outcome: 'followed', runId: 'r2' });
      await endRun(storage, active);
      for (const owner of [BOB, OTHER_ALICE])
        expect(await storage.runs.deleteRun({ owner, runId: 'r2', files: [] })).toEqual({
          outcome: 'no-run',
        });
      expect(await remove(storage, 'unknown')).toEqual({ outcome: 'no-run' });
      expect(await storage.log.read('r2', 0, 10)).toHaveLength(1);
      await endRun(storage, await begunRun(storage, 'r3', { threadId: 't1', parentId: 'r1' }));
      expect(await remove(storage, 'r2')).toEqual({ outcome: 'deleted' });
      expect(await remove(storage, 'r1')).toEqual({ outcome: 'followed', runId: 'r3' });
    });

    test('removes the runs that it continues after answers', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      await awaitingRun(storage, 'r2', [approval('a')], { threadId: 't1' });
      await storage.runs.decide({
        runId: 'r2',
        answers: { a: { decision: 'approve', by: 'alice', at: 1 } },
        continuation: newRun('r3', { threadId: 't1', resumeOf: 'r2', whenBusy: 'queue' }),
      });
      await endRun(storage, await claimedRun(storage));
      expect(await remove(storage, 'r2')).toEqual({ outcome: 'followed', runId: 'r3' });
      expect(await remove(storage, 'r3')).toEqual({ outcome: 'deleted' });
      const { items } = await storage.runs.listRuns(ALICE, 't1', { limit: 10 });
      expect(items.map(({ id }) => id)).toEqual(['r1']);
    });

    test('removes its files, except those that another run of the thread was given', async ({ storage }) => {
      const data = new Uint8Array(10);
      const upload = { owner: ALICE, id: 'shared', mediaType: 'image/png', data, keepMs: 60_000 };
      await storage.blobs.upload(upload, { maxOwnerBytes: 1_000, maxUploads: 10 });
      const given = { files: [{ fileId: 'shared', mediaType: 'image/png' }] };
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1', given }));
      const run = await begunRun(storage, 'r2', { threadId: 't1', given });
      const made = { owner: ALICE, threadKey: run.threadKey, id: 'made', mediaType: 'image/png', data };
      await storage.blobs.put(made, 1_000);
      await endRun(storage, run);
      expect(await remove(storage, 'r2', ['shared', 'made'])).toEqual({ outcome: 'deleted' });
      expect(await storage.blobs.get(ALICE, 'made')).toBeUndefined();
      expect(await storage.blobs.get(ALICE, 'shared')).toMatchObject({ id: 'shared' });
    });
  });
}

/** Stores a state of the run's graph. */
async function putCheckpoint({ checkpointer }: Storage, run: Run, text: string): Promise<void> {
  const version = nextVersion(0);
  const checkpoint = {
    ...emptyCheckpoint(),
    id: uuid6(0),
    channel_values: { text },
    channel_versions: { text: version },
  };
  const metadata = withRunId({ source: 'loop', step: 0, parents: {} }, run.id);
  const thread = { thread_id: run.threadKey, checkpoint_ns: '' };
  const config = { configurable: { ...thread, [CHECKPOINT_FENCE]: toOwnership(run) } };
  await checkpointer.put(config, checkpoint, metadata, { text: version });
}
