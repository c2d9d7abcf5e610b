import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint';
import { CHECKPOINT_FENCE } from '../../../agents/langgraph/checkpoint-fence.js';
import { withRunId } from '../../../agents/langgraph/checkpoint-run.js';
import type { Run } from '../../../runs/run.js';
import { deleteRun } from '../../../runs/run-deletion.js';
import { createFileKeeper } from '../../../runs/run-files.js';
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
  recorded,
  stopRun,
  toBatch,
  toEnding,
  toOwnership,
} from '../storage-samples.js';

export function runDeletionContract({ describe, test, expect }: ContractSuite): void {
  const remove = (storage: Storage, runId: string, files: readonly string[] = []) =>
    storage.runs.deleteRun({ owner: ALICE, runId, files: { [runId]: files } });

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
        expect(await storage.runs.deleteRun({ owner, runId: 'r2', files: {} })).toEqual({
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

    test('leaves the file of another run of the thread that has made the same bytes', async ({ storage }) => {
      const first = await begunRun(storage, 'r1', { threadId: 't1' });
      const kept = await makeFile(storage, first);
      await endRun(storage, first, 1);
      const second = await begunRun(storage, 'r2', { threadId: 't1', parentId: null });
      const removed = await makeFile(storage, second);
      await endRun(storage, second, 1);
      expect(await deleteRun(await find(storage, 'r2'), storage)).toEqual({ outcome: 'deleted' });
      expect(await storage.blobs.get(ALICE, kept)).toMatchObject({ mediaType: 'text/plain' });
      expect(await storage.blobs.get(ALICE, removed)).toBeUndefined();
    });

    test('removes the files of the runs that it continues after answers', async ({ storage }) => {
      const { made, madeLater } = await continuedRun(storage);
      expect(await deleteRun(await find(storage, 'r2'), storage)).toEqual({ outcome: 'deleted' });
      for (const id of [made, madeLater]) expect(await storage.blobs.get(ALICE, id)).toBeUndefined();
    });

    test('leaves the files of a run that it continues and that another branch needs', async ({ storage }) => {
      const { made, madeLater } = await continuedRun(storage);
      await endRun(storage, await begunRun(storage, 'r3', { threadId: 't1', parentId: 'r1' }));
      expect(await deleteRun(await find(storage, 'r2'), storage)).toEqual({ outcome: 'deleted' });
      expect(await storage.runs.get('r1')).toMatchObject({ id: 'r1' });
      expect(await storage.blobs.get(ALICE, made)).toMatchObject({ id: made });
      expect(await storage.blobs.get(ALICE, madeLater)).toBeUndefined();
    });
  });
}

/** Makes a run that has asked, and one that continues it after the answer. Both have made a file. */
async function continuedRun(
  storage: Storage,
): Promise<{ readonly made: string; readonly madeLater: string }> {
  const asked = await begunRun(storage, 'r1', { threadId: 't1' });
  const made = await makeFile(storage, asked);
  await stopRun(storage, asked, [approval('a')], 1);
  await storage.runs.decide({
    runId: 'r1',
    answers: { a: { decision: 'approve', by: 'alice', at: 1 } },
    continuation: newRun('r2', { threadId: 't1', resumeOf: 'r1', whenBusy: 'queue' }),
  });
  const continued = await claimedRun(storage);
  const madeLater = await makeFile(storage, continued);
  await endRun(storage, continued, 1);
  return { made, madeLater };
}

/** Stores a file that the run makes, as the first event of its log. Returns the id. All runs make the same bytes. */
async function makeFile({ blobs, log }: Storage, run: Run): Promise<string> {
  const keep = createFileKeeper(run, blobs, { maxFileBytes: 1_000, maxOwnerBytes: 10_000 });
  const file = await keep({ data: Buffer.from('Rosemary'), mediaType: 'text/plain' });
  if (file.fileId === undefined) throw new Error(`The file was not kept: ${file.omitted}.`);
  const event = { type: 'file', partId: 'p1', messageId: 'm1', stepId: 's1', ...file } as const;
  const { id: runId, epoch } = run;
  const [result] = await log.append([{ runId, epoch, afterSeq: 0, events: [recorded(run, 1, event)] }]);
  if (result !== 'appended') throw new Error(`The log of run ${runId} did not take the file.`);
  return file.fileId;
}

async function find({ runs }: Storage, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (!run) throw new Error(`There is no run ${id}.`);
  return run;
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
