import type { RunnableConfig } from '@langchain/core/runnables';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint';
import { CHECKPOINT_FENCE } from '../../../agents/langgraph/checkpoint-fence.js';
import { KEEPS_STATES } from '../../../agents/langgraph/checkpoint-history.js';
import { withRunId } from '../../../agents/langgraph/checkpoint-run.js';
import type { Run } from '../../../runs/run.js';
import { nextVersion } from '../../../storage/checkpoint-versions.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  BOB,
  OWNER,
  approval,
  awaitingRun,
  begunRun,
  claimRun,
  endRun,
  newRun,
  toOwnership,
} from '../storage-samples.js';

export function branchContract({ describe, test, expect }: ContractSuite): void {
  describe('branches of a thread', () => {
    test('stores after which run a run is asked: the newest one, another one, or none', async ({
      storage,
    }) => {
      for (const [id, place] of [
        ['r1', {}],
        ['r2', {}],
        ['r3', { parentId: 'r1' }],
        ['r4', {}],
        ['r5', { parentId: null }],
      ] as const) {
        const created = await begunRun(storage, id, { threadId: 't1', ...place });
        expect(await storage.runs.get(id)).toEqual(created);
        await endRun(storage, created);
      }
      const { items } = await storage.runs.listRuns(ALICE, 't1', { limit: 10 });
      expect(items.map(({ id, parentId }) => [id, parentId])).toEqual([
        ['r5', null],
        ['r4', 'r3'],
        ['r3', 'r1'],
        ['r2', 'r1'],
        ['r1', undefined],
      ]);
    });

    test('lists the places of the newest runs of a thread', async ({ storage }) => {
      for (const [id, place] of [
        ['r1', {}],
        ['r2', {}],
        ['r3', { parentId: null }],
      ] as const)
        await endRun(storage, await begunRun(storage, id, { threadId: 't1', ...place }));
      await endRun(storage, await begunRun(storage, 'elsewhere', { threadId: 't2' }));
      const all = [{ id: 'r3', parentId: null }, { id: 'r2', parentId: 'r1' }, { id: 'r1' }];
      expect(await storage.runs.listNodes(ALICE, 't1', 10)).toEqual(all);
      expect(await storage.runs.listNodes(ALICE, 't1', 2)).toEqual(all.slice(0, 2));
      expect(await storage.runs.listNodes(BOB, 't1', 10)).toEqual([]);
    });

    test('notes that a thread has branches once a run is asked elsewhere', async ({ storage }) => {
      const hasBranches = async () => (await storage.runs.getThread(ALICE, 't1'))?.hasBranches ?? false;
      for (const [id, place, expected] of [
        ['r1', {}, false],
        ['r2', { parentId: 'r1' }, false],
        ['r3', { parentId: 'r1' }, true],
        ['r4', {}, true],
      ] as const) {
        await endRun(storage, await begunRun(storage, id, { threadId: 't1', ...place }));
        expect(await hasBranches()).toBe(expected);
      }
    });

    test('makes a run that waits for another one continue the run that it was asked after', async ({
      storage,
    }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      const busy = await begunRun(storage, 'r2', { threadId: 't1' });
      await storage.runs.create(newRun('r3', { threadId: 't1', whenBusy: 'queue', parentId: 'r1' }));
      await storage.runs.create(newRun('r4', { threadId: 't1', whenBusy: 'queue' }));
      await endRun(storage, busy);
      expect(await claimRun(storage)).toMatchObject({ id: 'r3', parentId: 'r1' });
      expect(await storage.runs.get('r4')).toMatchObject({ parentId: 'r3' });
    });

    test('asks a run that takes the place of an unended one where that one was asked', async ({
      storage,
    }) => {
      const take = async (id: string) => {
        const start = { threadId: 't1', whenBusy: 'rollback' } as const;
        const created = await storage.runs.create(newRun(id, { owner: OWNER, ...start }));
        return created.outcome === 'created' ? [created.run.parentId, created.run.status] : created;
      };
      const first = await begunRun(storage, 'r1', { threadId: 't1' });
      expect(await take('r2')).toEqual([null, 'pending']);
      await endRun(storage, first);
      const second = await claimRun(storage);
      if (!second) throw new Error('There is no run to claim.');
      await endRun(storage, second);
      expect(await take('r3')).toEqual(['r2', 'running']);
      expect(await take('r4')).toEqual(['r2', 'pending']);
      expect(await take('r5')).toEqual(['r2', 'pending']);
      const place = { threadId: 't1', whenBusy: 'rollback', parentId: 'r1' } as const;
      expect(await storage.runs.create(newRun('r6', place))).toMatchObject({ run: { parentId: 'r1' } });
      expect(await storage.runs.get('r4')).toMatchObject({ parentId: 'r2' });
    });

    test('asks it from the state in the middle of a run from which the turn was asked', async ({
      storage,
    }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      const given = { fromCheckpoint: 'c1', recursionLimit: 3 };
      await storage.runs.create(newRun('r2', { threadId: 't1', parentId: 'r1', given }));
      const place = { parentId: 'r1', given: { fromCheckpoint: 'c1', rollsBack: true } };
      for (const [id, own] of [
        ['r3', { rollsBack: true }],
        ['r4', { rollsBack: true, fromCheckpoint: 'other' }],
      ] as const) {
        const start = { threadId: 't1', whenBusy: 'rollback', given: own } as const;
        expect(await storage.runs.create(newRun(id, start))).toMatchObject({ run: place });
        expect((await storage.runs.get(id))?.given).toEqual(place.given);
      }
      const plain = newRun('r5', { threadId: 't1', whenBusy: 'rollback' });
      expect(await storage.runs.create(plain)).toMatchObject({ run: { given: { fromCheckpoint: 'c1' } } });
      expect((await storage.runs.get('r5'))?.given).toEqual({ fromCheckpoint: 'c1' });
    });

    test('asks it where the turn was asked if the unended run goes on after answers', async ({ storage }) => {
      await endRun(storage, await begunRun(storage, 'r1', { threadId: 't1' }));
      await awaitingRun(storage, 'r2', [approval('a')], { threadId: 't1' });
      await storage.runs.decide({
        runId: 'r2',
        answers: { a: { decision: 'approve', by: 'alice', at: 1 } },
        continuation: newRun('r3', { threadId: 't1', resumeOf: 'r2', whenBusy: 'queue' }),
      });
      const start = { threadId: 't1', whenBusy: 'rollback' } as const;
      expect(await storage.runs.create(newRun('r4', start))).toMatchObject({ run: { parentId: 'r1' } });
    });

    test('keeps the last checkpoint of each run', async ({ storage }) => {
      for (const id of ['r1', 'r2', 'r3']) {
        const run = await begunRun(storage, id, { threadId: 't1' });
        for (const word of ['first', 'second', 'last']) await putCheckpoint(storage, run, `${word} of ${id}`);
        await endRun(storage, run);
      }
      for (const id of ['r1', 'r2', 'r3']) {
        const saved = storage.checkpointer.list(THREAD, { filter: { run_id: id }, limit: 1 });
        for await (const { checkpoint } of saved)
          expect(checkpoint.channel_values).toEqual({ text: `last of ${id}` });
      }
      const all: unknown[] = [];
      for await (const { checkpoint } of storage.checkpointer.list(THREAD))
        all.push(checkpoint.channel_values['text']);
      expect(all.slice(0, 2)).toEqual(['last of r3', 'second of r3']);
      for (const last of ['last of r2', 'last of r1']) expect(all.includes(last)).toBe(true);
    });

    test('keeps each checkpoint of a run that keeps its states, and the last one of a run that does not', async ({
      storage,
    }) => {
      const words = ['first', 'second', 'third', 'last'];
      for (const [id, keepsStates] of [
        ['r1', true],
        ['r2', false],
        ['r3', true],
      ] as const) {
        const run = await begunRun(storage, id, { threadId: 't1' });
        for (const word of words) await putCheckpoint(storage, run, `${word} of ${id}`, { keepsStates });
        await endRun(storage, run);
      }
      const list = async (runId: string) => {
        const found: unknown[] = [];
        for await (const { checkpoint } of storage.checkpointer.list(THREAD, { filter: { run_id: runId } }))
          found.push(checkpoint.channel_values['text']);
        return found;
      };
      expect(await list('r3')).toEqual(words.map((word) => `${word} of r3`).toReversed());
      // A run that does not keep its states takes those of the runs before it as any others.
      expect((await list('r2'))[0]).toBe('last of r2');
      expect((await list('r1'))[0]).toBe('last of r1');
    });

    test('keeps nothing of the graphs inside a state that a run has kept on its way', async ({ storage }) => {
      const run = await begunRun(storage, 'r1', { threadId: 't1' });
      for (const word of ['first', 'second', 'third', 'fourth']) {
        const origin = await putCheckpoint(storage, run, word, { keepsStates: true });
        await putCheckpoint(storage, run, `in ${word}`, {
          keepsStates: true,
          origin,
          place: `inner:${word}`,
        });
      }
      await endRun(storage, run);
      const found: unknown[] = [];
      for await (const { checkpoint } of storage.checkpointer.list({ configurable: { thread_id: 't1' } }))
        found.push(checkpoint.channel_values['text']);
      for (const word of ['first', 'second', 'third', 'fourth', 'in fourth'])
        expect(found.includes(word)).toBe(true);
      const { checkpointer } = storage;
      const forgets = 'keep' in checkpointer && checkpointer.keep !== 'all';
      if (forgets) expect(found.includes('in first')).toBe(false);
    });

    test('keeps the values of branches apart after the checkpoint at which they fork', async ({
      storage,
    }) => {
      const graph = echoing(storage);
      await graph.invoke({ words: ['stem'] }, THREAD);
      const { config: fork } = await graph.getState(THREAD);
      const left = await graph.updateState(fork, { words: ['left'] }, 'echo');
      const right = await graph.updateState(fork, { words: ['right'] }, 'echo');
      for (const [config, word] of [
        [left, 'left'],
        [right, 'right'],
      ] as const) {
        const { values } = await graph.getState(config);
        expect(values).toEqual({ words: ['stem', 'echo of stem', word], untouched: 'same' });
      }
      const goneOn = await graph.invoke({ words: ['more'] }, right);
      expect(goneOn.words).toEqual(['stem', 'echo of stem', 'right', 'more', 'echo of more']);
    });
  });
}

const THREAD: RunnableConfig = { configurable: { thread_id: 't1', checkpoint_ns: '' } };

/** Stores a state of the run's graph. */
async function putCheckpoint(
  { checkpointer }: Storage,
  run: Run,
  text: string,
  {
    keepsStates = false,
    origin,
    place = '',
  }: { readonly keepsStates?: boolean; readonly origin?: string; readonly place?: string } = {},
): Promise<string> {
  const version = nextVersion(0);
  const checkpoint = {
    ...emptyCheckpoint(),
    id: uuid6(0),
    channel_values: { text },
    channel_versions: { text: version },
  };
  const parents: Record<string, string> = origin === undefined ? {} : { '': origin };
  const metadata = withRunId({ source: 'loop', step: 0, parents }, run.id);
  const keeping = keepsStates && { [KEEPS_STATES]: true };
  const config = {
    configurable: {
      ...THREAD.configurable,
      checkpoint_ns: place,
      [CHECKPOINT_FENCE]: toOwnership(run),
      ...keeping,
    },
  };
  await checkpointer.put(config, checkpoint, metadata, { text: version });
  return checkpoint.id;
}

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
  untouched: Annotation<string>({ reducer: (_, last) => last, default: () => 'same' }),
});

function echoing({ checkpointer }: Storage) {
  return new StateGraph(State)
    .addNode('echo', ({ words }) => ({ words: [`echo of ${words.at(-1)}`] }))
    .addEdge(START, 'echo')
    .addEdge('echo', END)
    .compile({ checkpointer });
}
