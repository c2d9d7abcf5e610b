import type { RunnableConfig } from '@langchain/core/runnables';
import { Annotation, Command, END, interrupt, START, StateGraph } from '@langchain/langgraph';
import { readRunId, withRunId } from '../../../agents/langgraph/checkpoint-run.js';
import type { RunEvent } from '../../../events/run-event.js';
import type { Run } from '../../../runs/run.js';
import { COPY_LIMITS, type ThreadCopy } from '../../../runs/thread-copy.js';
import { BlobRowStore } from '../../../storage/objects/blob-row.store.js';
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
  recorded,
  toBatch,
  toEnding,
} from '../storage-samples.js';

export function threadCopyContract({ describe, test, expect }: ContractSuite): void {
  const copy = (storage: Storage, differences: Partial<ThreadCopy> = {}) =>
    storage.runs.copyThread({
      owner: ALICE,
      threadId: 't1',
      key: 'copy',
      ...COPY_LIMITS,
      maxOwnerBytes: 10_000,
      ...differences,
    });
  const listCopies = async (storage: Storage, threadId = 'copy') =>
    (await storage.runs.listRuns(ALICE, threadId, { limit: 20 })).items.toReversed();

  describe('copyThread', () => {
    test('copies ended runs with their places and logs, under new ids', async ({ storage }) => {
      for (const [id, place] of [
        ['r1', {}],
        ['r2', {}],
        ['r3', { parentId: 'r1' }],
        ['r4', { parentId: null }],
      ] as const) {
        const run = await begunRun(storage, id, { threadId: 't1', ...place });
        await storage.log.append([toBatch(run, 0, 2)]);
        await storage.log.append([toEnding(run, 2)]);
      }
      await begunRun(storage, 'active', { threadId: 't1' });
      const copied = await copy(storage);
      expect(copied).toMatchObject({
        outcome: 'copied',
        thread: { id: 'copy', title: 'What is r1?', hasBranches: true },
      });
      const runs = await listCopies(storage);
      const ids = new Map(runs.map(({ id, copyOf }) => [copyOf, id]));
      expect([...ids.keys()]).toEqual(['r1', 'r2', 'r3', 'r4']);
      const parents = runs.map(({ parentId }) => parentId);
      expect(parents).toEqual([undefined, ids.get('r1'), ids.get('r1'), null]);
      const nodes = await storage.runs.listNodes(ALICE, 'copy', 1);
      expect(nodes).toEqual([{ id: ids.get('r4'), parentId: null, copyOf: 'r4' }]);
      for (const run of runs) {
        const original = await storage.runs.get(run.copyOf ?? '');
        const place = { id: run.id, threadId: 'copy', threadKey: 'copy', copyOf: run.copyOf };
        const parent = run.parentId === undefined ? {} : { parentId: run.parentId };
        expect(run).toEqual({ ...original, ...place, ...parent });
        const events = (await storage.log.read(run.id, 0, 10)).map(({ seq, event }) => ({ seq, event }));
        expect(events).toEqual(
          (await storage.log.read(run.copyOf ?? '', 0, 10)).map(({ seq, event }) => ({ seq, event })),
        );
      }
      expect(await listCopies(storage, 't1')).toHaveLength(5);
      const again = await copy(storage, { threadId: 'copy', key: 'second' });
      expect(again).toMatchObject({ outcome: 'copied' });
      const second = await listCopies(storage, 'second');
      expect(second.map(({ copyOf }) => copyOf)).toEqual(['r1', 'r2', 'r3', 'r4']);
    });

    test('copies metadata and a title that was given, and finds the words of the copy', async ({
      storage,
    }) => {
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      const said = { owner: ALICE, question: 'What is r1?', answer: 'A thyme.' };
      const { ending, ...batch } = toEnding(run, 0);
      await storage.log.append([{ ...batch, ...(ending && { ending: { ...ending, said } }) }]);
      await storage.runs.changeThread(ALICE, 't1', { title: 'Herbs', metadata: { k: 1 }, pinned: true });
      const copied = await copy(storage);
      expect(copied).toMatchObject({ thread: { title: 'Herbs', metadata: { k: 1 } } });
      expect('thread' in copied && copied.thread.pinned).toBe(undefined);
      for (const word of ['thyme', 'herbs']) {
        const search = { terms: [{ word, isPrefix: false }], limit: 10 };
        const { items } = await storage.runs.searchThreads(ALICE, search);
        expect(items.map(({ thread }) => thread.id).toSorted()).toEqual(['copy', 't1']);
      }
    });

    test('copies open questions, which are answered in each thread by itself', async ({ storage }) => {
      const asked = await awaitingRun(storage, 'r1', [approval('a')], { threadId: 't1' });
      await copy(storage);
      const [copied] = await listCopies(storage);
      const answers = { a: { decision: 'approve', by: 'alice', at: 1 } } as const;
      for (const [run, id] of [
        [copied, 'c2'],
        [asked, 'r2'],
      ] as const) {
        if (!run) throw new Error('There is no copy.');
        const continuation = newRun(id, { threadId: run.threadId, resumeOf: run.id, whenBusy: 'queue' });
        const decided = await storage.runs.decide({ runId: run.id, answers, continuation });
        expect(decided).toMatchObject({ outcome: 'answered', continuedBy: { id } });
        const next = await claimedRun(storage);
        const start: RunEvent = { type: 'run-start', agent: 'a', messageId: 'm', resumeOf: run.id };
        await storage.log.append([
          { runId: id, epoch: next.epoch, afterSeq: 0, events: [recorded(next, 1, start)] },
        ]);
        await storage.log.append([toEnding(next, 1)]);
      }
      await copy(storage, { key: 'later' });
      const [first, second] = await listCopies(storage, 'later');
      expect(second).toMatchObject({ resumeOf: first?.id, parentId: first?.id });
      const [start] = await storage.log.read(second?.id ?? '', 0, 1);
      expect(start?.event).toMatchObject({ resumeOf: first?.id });
      expect(await storage.runs.get(first?.id ?? '')).toMatchObject({ continuedBy: second?.id });
    });

    test('copies the state of a graph, and what waits in it', async ({ storage }) => {
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      const graph = asking(storage);
      const from = { configurable: { thread_id: run.threadKey } };
      await graph.invoke({ words: ['one'] }, from);
      await endRun(storage, run);
      await copy(storage);
      const [copied] = await listCopies(storage);
      const there: RunnableConfig = { configurable: { thread_id: 'copy' } };
      const state = await graph.getState(there);
      const original = await graph.getState(from);
      expect(state.values).toEqual(original.values);
      expect(state.tasks).toEqual(original.tasks);
      const tuple = await storage.checkpointer.getTuple(there);
      expect(readRunId(tuple?.metadata)).toBe(copied?.id);
      await storage.runs.deleteThread(ALICE, 't1');
      const end = await graph.invoke(new Command({ resume: 'two' }), there);
      expect(end).toEqual({ words: ['one', 'two'] });
    });

    test('copies files under their ids, each with its own thread', async ({ storage }) => {
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      await endRun(storage, run);
      const data = new Uint8Array([1, 2, 3]);
      const file = { owner: ALICE, threadKey: run.threadKey, id: 'file', mediaType: 'image/png', data };
      await storage.blobs.put(file, 1_000);
      expect(await copy(storage)).toMatchObject({ outcome: 'copied' });
      expect(await storage.blobs.describe(ALICE, ['file'])).toHaveLength(1);
      const given = { files: [{ fileId: 'file', mediaType: 'image/png' }] };
      for (const threadId of ['copy', 't1']) {
        const created = await storage.runs.create(newRun(`in-${threadId}`, { threadId, given }));
        expect(created).toMatchObject({ outcome: 'created' });
      }
      expect(await storage.runs.create(newRun('elsewhere', { given }))).toMatchObject({ outcome: 'no-file' });
      await storage.runs.deleteThread(ALICE, 't1');
      expect((await storage.blobs.get(ALICE, 'file'))?.data).toEqual(data);
      await storage.runs.deleteThread(ALICE, 'copy');
      expect(await storage.blobs.get(ALICE, 'file')).toBeUndefined();
    });

    test('stores a file in its thread again, although a copy of the thread has it', async ({ storage }) => {
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      await endRun(storage, run);
      const data = new Uint8Array([1, 2, 3]);
      const file = { owner: ALICE, threadKey: run.threadKey, id: 'file', mediaType: 'image/png', data };
      await storage.blobs.put(file, 1_000);
      await begunRun(storage, 'r2', { threadId: 't1', parentId: null });
      expect(await copy(storage)).toMatchObject({ outcome: 'copied' });
      const deleted = await storage.runs.deleteRun({ owner: ALICE, runId: 'r1', files: { r1: ['file'] } });
      expect(deleted).toEqual({ outcome: 'deleted' });
      expect(await storage.blobs.put(file, 1_000)).toBe('stored');
      await storage.runs.deleteThread(ALICE, 'copy');
      expect((await storage.blobs.get(ALICE, 'file'))?.data).toEqual(data);
    });

    test('shares the object of a file, which is to be removed with the last thread', async ({ storage }) => {
      const { blobs } = storage;
      // A storage whose files are no rows has no objects either.
      if (!(blobs instanceof BlobRowStore)) return;
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      await endRun(storage, run);
      await blobs.noteObject('object', 60_000);
      const file = { id: 'file', mediaType: 'image/png', object: 'object', bytes: 3 };
      await blobs.put({ owner: ALICE, threadKey: run.threadKey, ...file }, 1_000);
      expect(await copy(storage)).toMatchObject({ outcome: 'copied' });
      await storage.runs.deleteThread(ALICE, 't1');
      expect(await blobs.claimObjects(10, 60_000)).toEqual([]);
      expect(await blobs.find(ALICE, 'file')).toEqual(file);
      await storage.runs.deleteThread(ALICE, 'copy');
      expect(await blobs.claimObjects(10, 60_000)).toEqual(['object']);
    });

    test('stores nothing of a thread that is too large, or whose files have no room', async ({ storage }) => {
      let last: Run | undefined;
      for (const id of ['r1', 'r2']) {
        last = await begunRun(storage, id, { threadId: 't1', message: 'x'.repeat(500) });
        await endRun(storage, last);
      }
      const data = new Uint8Array(400);
      const file = {
        owner: ALICE,
        threadKey: last?.threadKey ?? '',
        id: 'file',
        mediaType: 'image/png',
        data,
      };
      await storage.blobs.put(file, 1_000);
      expect(await copy(storage, { maxRuns: 1 })).toEqual({ outcome: 'too-large' });
      expect(await copy(storage, { maxBytes: 1_200 })).toEqual({ outcome: 'too-large' });
      expect(await copy(storage, { maxOwnerBytes: 700 })).toEqual({ outcome: 'full' });
      expect(await storage.runs.getThread(ALICE, 'copy')).toBeUndefined();
      expect(await copy(storage, { maxRuns: 2 })).toMatchObject({ outcome: 'copied' });
    });

    test('counts what a copy takes, and spends nothing again', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1', message: 'x'.repeat(5_000) }));
      const read = async () => (await storage.retention.listUsage(1))[0]?.bytes ?? 0;
      const query = { by: ['tenant'], limit: 10 } as const;
      const [bytes, spent] = [await read(), await storage.runs.listSpending(query)];
      await copy(storage);
      expect(await read()).toBe(2 * bytes);
      expect(await storage.runs.listSpending(query)).toEqual(spent);
    });

    test('copies a thread without runs, and none of another owner', async ({ storage }) => {
      await storage.runs.createThread({ id: 't1', owner: ALICE, key: 'k1', metadata: { a: 1 } });
      for (const owner of [BOB, OTHER_ALICE])
        expect(await copy(storage, { owner })).toEqual({ outcome: 'no-thread' });
      expect(await copy(storage)).toMatchObject({ outcome: 'copied', thread: { metadata: { a: 1 } } });
    });
  });
}

const Words = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
});

/** Asks in the run r1. */
function asking({ checkpointer: storage }: Storage) {
  const checkpointer = Object.create(storage) as typeof storage;
  checkpointer.put = (config, checkpoint, metadata, versions) =>
    storage.put(config, checkpoint, withRunId(metadata, 'r1'), versions);
  return new StateGraph(Words)
    .addNode('ask', () => ({ words: [interrupt<string, string>('More?')] }))
    .addEdge(START, 'ask')
    .addEdge('ask', END)
    .compile({ checkpointer });
}
