import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BaseMessage } from '@langchain/core/messages';
import {
  closeStacks,
  expectValid,
  openStorage,
  stackWith,
  type CreateAgent,
  type Stack,
} from '../src/agents/langgraph/langgraph-stack.testing.js';
import type { RecordedEvent } from '../src/events/recorded-event.js';
import { foldRun } from '../src/events/run-view.js';
import { ADA } from '../src/runs/run.testing.js';
import type { Run } from '../src/runs/run.js';
import type { Storage } from '../src/storage/storage.js';
import { DyingStorage } from './harness/dying-storage.js';
import { createGraphAgents, EFFECT_STEP, GRAPHS, type GraphName } from './harness/kill-loop/graphs.js';
import { readMemory } from './harness/kill-loop/memory.js';
import { checkSteps, SideEffectLedger } from './harness/side-effect-ledger.js';

const LEASE_MS = 2_000_000;

/** A question of another branch. */
const ELSEWHERE = 'Elsewhere';

/** The commits of the process that takes over, before it dies too. A third death would give up the run. */
const getLaterCommits = (firstCommits: number) => (firstCommits % 5) + 1;

describe('a graph whose process dies after any of its commits', () => {
  let directory: string;
  beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'each-commit-'))));
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** The agent of one process, whose model has words of its own. */
  const createAgent =
    (name: GraphName, attempt: number): CreateAgent =>
    ({ checkpointer, items }, tracking) => {
      const model = { seed: 1, attempt, paceMs: 0 };
      const ledger = new SideEffectLedger(join(directory, 'effects'));
      const store = { items };
      const agents = createGraphAgents({ model, ledger }, { tracking, checkpointer, store });
      return agents.find((agent) => agent.name === name)!;
    };

  it.each(GRAPHS)('shows what the state of the %s graph has, and does nothing twice', async (name) => {
    for (let commits = 1, hasDied = true; hasDied; commits += 1) {
      hasDied = await dieAfter(name, [commits]);
      // Two deaths, in a thread that has an answer already, and after a run that is not its last one.
      const thread = commits % 2 === 0 ? 'known thread' : 'other branch';
      if (hasDied) await dieAfter(name, [commits, getLaterCommits(commits)], thread);
    }
  });

  /** Asks a question, lets one process after the other die after so many commits, and then one live. Returns false if the first has finished. */
  async function dieAfter(
    name: GraphName,
    commits: readonly number[],
    thread: 'new thread' | 'known thread' | 'other branch' = 'new thread',
  ): Promise<boolean> {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const ledgerFile = join(directory, 'effects');
    await rm(ledgerFile, { force: true });
    const known = thread === 'new thread' ? undefined : await answer(name, storage, { message: 'One' });
    const place = known && { threadId: known.threadId };
    if (thread === 'other branch') await answer(name, storage, { message: ELSEWHERE, ...place });
    const fork = thread === 'other branch' && { parentRunId: known?.id ?? '' };
    const dead: DyingStorage[] = [];
    let asked: { readonly id: string } | undefined;
    let logs: readonly RecordedEvent[][] | undefined;
    for (const [index, count] of [...commits, Infinity].entries()) {
      const dying = new DyingStorage(storage, count);
      const stack = await stackWith(createAgent(name, index + 1), {
        storage: dying.storage,
        executor: { leaseMs: LEASE_MS },
      });
      asked ??= await stack.runs.start({
        principal: ADA,
        message: 'Two',
        agent: name,
        ...place,
        ...fork,
      });
      const finished = finish(stack, asked.id);
      finished.catch(() => undefined);
      logs = (await Promise.race([finished, dying.died])) ?? undefined;
      dead.push(dying);
      if (logs) break;
      now += LEASE_MS * 2;
    }
    const run = await storage.runs.get(logs?.at(-1)?.[0]?.runId ?? '');
    expect(run).toMatchObject({ status: 'completed' });
    const memory = await readMemory(storage, run!, name);
    expect(await readQuestions(storage, run!)).not.toContain(ELSEWHERE);
    const effects = new SideEffectLedger(ledgerFile).read();
    const found = {
      commits,
      seen: logs?.flatMap(listTexts),
      doneTwice: checkSteps(effects, logs ?? [], EFFECT_STEP),
      notes: foldRun('run', logs?.at(-1) ?? []).state?.['notes'],
      images: await countImages(storage, logs ?? []),
    };
    const { messages: seen, notes, images } = memory;
    expect(found).toEqual({ commits, seen, doneTwice: [], notes, images });
    for (const each of dead) each.revive();
    await closeStacks();
    return dead.length > 1;
  }

  /** Returns the run of a question that was answered without a death. */
  async function answer(
    name: GraphName,
    storage: Storage,
    question: { readonly message: string; readonly threadId?: string },
  ): Promise<Run> {
    const stack = await stackWith(createAgent(name, 0), { storage });
    const run = await stack.runs.start({ principal: ADA, agent: name, ...question });
    const logs = await finish(stack, run.id);
    await stack.executor.drain(0);
    return stack.runs.get(ADA, logs.at(-1)?.[0]?.runId ?? '');
  }

  /** Answers what a run asks, and what the runs ask that continue it. Returns all their logs. */
  async function finish(stack: Stack, runId: string): Promise<RecordedEvent[][]> {
    const log = await stack.readLog(runId);
    expectValid(log);
    const { status, inputs = [] } = await stack.runs.get(ADA, runId);
    if (status !== 'awaiting-input') return [log];
    const answers = inputs.map(({ inputId }) => [inputId, { decision: 'answer', value: inputId }] as const);
    const { continuedBy } = await stack.inputs.answer(ADA, runId, Object.fromEntries(answers));
    return [log, ...(await finish(stack, continuedBy?.id ?? ''))];
  }
});

/** Counts the images that people see, and can have. */
async function countImages({ blobs }: Storage, logs: readonly RecordedEvent[][]): Promise<number> {
  const files = logs.flatMap((log) => foldRun('run', log).parts).filter((part) => part.kind === 'file');
  const kept = await Promise.all(files.map(({ fileId = '' }) => blobs.get(ADA, fileId)));
  return kept.filter((blob) => blob?.mediaType === 'image/png').length;
}

/** Reads the questions in the last state of the run's thread. */
async function readQuestions(storage: Storage, { threadKey }: Run): Promise<readonly string[]> {
  const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadKey } });
  const messages = (tuple?.checkpoint.channel_values['messages'] ?? []) as readonly BaseMessage[];
  return messages.flatMap((message) => (message.getType() === 'human' ? [message.text] : []));
}

function listTexts(log: readonly RecordedEvent[]): string[] {
  return foldRun('run', log).parts.flatMap((part) =>
    part.kind === 'text' && part.text !== '' ? [part.text] : [],
  );
}
