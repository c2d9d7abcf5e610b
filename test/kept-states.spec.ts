import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import {
  closeStacks,
  expectValid,
  graphAgent,
  openStorage,
  stackWith,
} from '../src/agents/langgraph/langgraph-stack.testing.js';
import type { RecordedEvent } from '../src/events/recorded-event.js';
import { foldRun } from '../src/events/run-view.js';
import { ADA } from '../src/runs/run.testing.js';
import type { StartRunRequest } from '../src/runs/start-request.js';
import type { Storage } from '../src/storage/storage.js';
import { DyingStorage } from './harness/dying-storage.js';

const LEASE_MS = 2_000_000;

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  count: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
});

/** Speaks three times, one step after the other. */
const graph = new StateGraph(State)
  .addNode('speak', ({ messages, count }) => ({
    messages: [
      new AIMessage(`${messages.findLast((each) => each.getType() === 'human')?.text} ${count + 1}.`),
    ],
    count: count + 1,
  }))
  .addEdge(START, 'speak')
  .addConditionalEdges('speak', ({ count }) => (count % 3 === 0 ? END : 'speak'), ['speak', END])
  .compile();

const options = { name: 'speaker', keepsStates: true, exposeState: ['count'], takesStateChanges: true };

/** Speaks twice at the same time: one node is over while the other is still at work. */
const pair = new StateGraph(State)
  .addNode('quick', () => ({ messages: [new AIMessage('Quick.')] }))
  .addNode('slow', async () => {
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    return { messages: [new AIMessage('Slow.')] };
  })
  .addEdge(START, 'quick')
  .addEdge(START, 'slow')
  .compile();

describe('a run that keeps its states and whose process dies after any of its commits', () => {
  afterEach(closeStacks);

  it('names each state once, with what was said and known by then', async () => {
    for (let commits = 1, hasDied = true; hasDied; commits += 1) {
      const { run, storage, hasDied: died } = await dieAfter(commits, {});
      hasDied = died;
      expect(await listStates(storage, run)).toEqual([
        [-1, 0, []],
        [0, 0, []],
        [1, 1, ['Two 1.']],
        [2, 2, ['Two 1.', 'Two 2.']],
        [3, 3, ['Two 1.', 'Two 2.', 'Two 3.']],
      ]);
      await closeStacks();
    }
  });

  it('goes on from the state in the middle of a run that it was asked for', async () => {
    for (let commits = 1, hasDied = true; hasDied; commits += 1) {
      const { run, storage, hasDied: died } = await dieAfter(commits, { isFork: true });
      hasDied = died;
      const states = await listStates(storage, run);
      // The earlier run had spoken once by then.
      expect(states.at(-1)).toEqual([5, 3, ['Two 2.', 'Two 3.']]);
      expect(states.map(([step]) => step)).toEqual([2, 3, 4, 5]);
      await closeStacks();
    }
  });

  it('names the run of the state before its first one, whatever it begins with', async () => {
    const change = { updates: [{ values: { count: 1 }, asNode: 'speak' }] };
    const starts = [change, { ...change, continues: true }, { updates: [], continues: true }].map(
      (stateChange) => ({ isWithoutMessage: true, stateChange }),
    );
    for (const start of [{}, ...starts])
      for (let commits = 1, hasDied = true; hasDied; commits += 1) {
        const { run, place, hasDied: died } = await dieAfter(commits, { isFork: true, start });
        hasDied = died;
        const { fromCheckpoint, parentRunId: earlier } = place ?? {};
        const own = new Set<string>();
        for (const { event } of run.log) {
          if (event.type !== 'checkpoint' || event.runId !== undefined) continue;
          const { checkpointId, parentId = '', parentRunId } = event;
          const expected = own.has(parentId) ? [parentId, undefined] : [fromCheckpoint, earlier];
          expect([start, commits, parentId, parentRunId]).toEqual([start, commits, ...expected]);
          own.add(checkpointId);
        }
        expect(own.size).toBeGreaterThan(0);
        await closeStacks();
      }
  });

  it('plans no step again that is over', async () => {
    for (let commits = 1, hasDied = true; hasDied; commits += 1) {
      const { run, hasDied: died } = await dieAfter(commits, { speaker: pair });
      hasDied = died;
      const over = new Set<string>();
      for (const { event } of run.log) {
        if (event.type === 'step-end') over.add(event.stepId);
        if (event.type === 'task')
          expect({ commits, isOver: over.has(event.stepId) }).toEqual({ commits, isOver: false });
      }
      expect(over.size).toBe(2);
      await closeStacks();
    }
  });

  /** Asks a question, lets one process die after so many commits, and another live. */
  async function dieAfter(
    commits: number,
    { isFork = false, speaker = graph as unknown, start = {} as Partial<StartRunRequest> },
  ) {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const place = isFork ? await findMiddle(storage) : undefined;
    const dead: DyingStorage[] = [];
    let asked: { readonly id: string } | undefined;
    let log: RecordedEvent[] | undefined;
    for (const count of [commits, Infinity]) {
      const dying = new DyingStorage(storage, count);
      const stack = await stackWith(graphAgent(speaker, options), {
        storage: dying.storage,
        executor: { leaseMs: LEASE_MS },
      });
      const question = { principal: ADA, message: 'Two', agent: 'speaker', ...place, ...start };
      asked ??= await stack.runs.start(question);
      const finished = stack.readLog(asked.id);
      finished.catch(() => undefined);
      log = (await Promise.race([finished, dying.died])) ?? undefined;
      dead.push(dying);
      if (log) break;
      now += LEASE_MS * 2;
    }
    expectValid(log ?? []);
    for (const each of dead) each.revive();
    return { storage, place, run: { id: asked?.id ?? '', log: log ?? [] }, hasDied: dead.length > 1 };
  }
});

/** Answers a question, and returns the state after the first thing that was said. */
async function findMiddle(storage: Storage) {
  const stack = await stackWith(graphAgent(graph, options), { storage });
  const { id, threadId } = await stack.runs.start({ principal: ADA, message: 'One', agent: 'speaker' });
  const states = (await stack.readLog(id)).flatMap(({ event }) =>
    event.type === 'checkpoint' ? [event] : [],
  );
  await stack.executor.drain(0);
  const middle = states.find(({ step }) => step === 1);
  return { threadId, parentRunId: id, fromCheckpoint: middle?.checkpointId ?? '' };
}

/** Lists the states that a run names: the step, and the count and the words that it has both in the log and in its checkpoint. */
async function listStates(storage: Storage, { id, log }: { id: string; log: readonly RecordedEvent[] }) {
  const { threadKey } = (await storage.runs.get(id))!;
  const places = new Map<string, number>();
  for (const [index, { event }] of log.entries())
    if (event.type === 'checkpoint' && event.runId === undefined && !places.has(event.checkpointId))
      places.set(event.checkpointId, index);
  return Promise.all(
    [...places].map(async ([checkpointId, index]) => {
      const configurable = { thread_id: threadKey, checkpoint_ns: '', checkpoint_id: checkpointId };
      const tuple = await storage.checkpointer.getTuple({ configurable });
      const { count = 0, messages = [] } = (tuple?.checkpoint.channel_values ?? {}) as {
        count?: number;
        messages?: BaseMessage[];
      };
      const stored = messages.slice(messages.findLastIndex((each) => each.getType() === 'human') + 1);
      const hasQuestion = messages.some(({ text }) => text === 'Two');
      const view = foldRun(id, log.slice(0, index + 1));
      const said = view.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
      expect([said, view.state?.['count'] ?? 0]).toEqual([
        hasQuestion ? stored.map(({ text }) => text) : [],
        count,
      ]);
      return [tuple?.metadata?.step, count, said] as const;
    }),
  );
}
