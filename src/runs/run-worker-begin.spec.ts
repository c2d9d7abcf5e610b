import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AgentContext } from '../agents/agent.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { newRun } from '../testing/storage/storage-samples.js';
import { ADA, processWith, listTypes } from './run.testing.js';
import { drainProcesses, startProcess } from './run-worker.testing.js';
import { threadTopic } from './wakeups.js';

const HI = { principal: ADA, message: 'Hi' };

/** An agent whose runs each wait, from when they have begun, until they are let go by their message. */
function gated() {
  const begun: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (message: string) => {
    const known = gates.get(message) ?? Promise.withResolvers<void>();
    gates.set(message, known);
    return known;
  };
  const agent = new ScriptedAgent(async ({ message }) => {
    begun.push(message);
    await gate(message).promise;
  });
  return { agent, begun, letGo: (message: string) => gate(message).resolve() };
}

/** Holds up the answer to the next call of a port's method until it is told to let go; says when there is one. */
function held<Port extends object>(port: Port, method: keyof Port & string) {
  const original = port[method] as (...all: unknown[]) => Promise<unknown>;
  const gate = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const hold = async (...all: unknown[]) => {
    Object.assign(port, { [method]: original });
    const answer = await original.apply(port, all);
    answered.resolve();
    await gate.promise;
    return answer;
  };
  Object.assign(port, { [method]: hold });
  return { answered: answered.promise, letGo: () => gate.resolve() };
}

/** A hint is heard in the turn after it was given, and what a memory storage is asked then is answered before the next. */
async function hintsAreHeard(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function countCalls<Port extends object>(port: Port, method: keyof Port & string): () => number {
  return () => (port[method] as unknown as jest.Mock).mock.calls.length;
}

/** The sweep would find sooner or later what nobody has looked for in time: it never comes. */
const WITHOUT_SWEEP: Parameters<typeof jest.useFakeTimers>[0] = {
  doNotFake: [
    'Date',
    'hrtime',
    'nextTick',
    'performance',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate',
    'setTimeout',
    'clearTimeout',
  ],
};

describe('RunWorker with runs that begin at once', () => {
  beforeEach(() => {
    jest.useFakeTimers(WITHOUT_SWEEP);
  });
  afterEach(async () => {
    await drainProcesses();
    jest.useRealTimers();
    jest.restoreAllMocks();
    Logger.overrideLogger(false);
  });

  it('starts a run as running, without a claim, in the process that was asked to start it', async () => {
    const storage = new MemoryStorage();
    const process = await startProcess([new ScriptedAgent(() => undefined)], { storage });
    jest.spyOn(storage.runs, 'claim');
    const claims = countCalls(storage.runs, 'claim');
    for (let index = 0; index < 3; index += 1) {
      const run = await process.runs.start(HI);
      expect(run).toMatchObject({ status: 'running', epoch: 1, startedAt: run.createdAt });
      expect(listTypes(await process.readLog(run.id))).toEqual(['run-start', 'end']);
    }
    await process.executor.drain(0);
    expect(claims()).toBe(0);
  });

  it('wakes the followers of a thread, and no worker, when a run begins at once', async () => {
    const { agent } = gated();
    const { runs, storage } = await startProcess([agent]);
    const hints: string[] = [];
    storage.wakeups.listen('pending', () => hints.push('pending'));
    const heard = new Promise<void>((resolve) =>
      storage.wakeups.listen(threadTopic(HI.principal, 't1'), () => {
        hints.push('thread');
        resolve();
      }),
    );
    await runs.start({ ...HI, threadId: 't1', createThread: true });
    await heard;
    expect(hints).toEqual(['thread']);
  });

  it('hands a thread on to its next queued run at once when a run ends', async () => {
    const { agent, begun, letGo } = gated();
    const process = await startProcess([agent], { whenBusy: 'queue' });
    const first = await process.runs.start({ ...HI, message: '1' });
    const { threadId } = first;
    const second = await process.runs.start({ ...HI, message: '2', threadId });
    const third = await process.runs.start({ ...HI, message: '3', threadId });
    expect([first, second, third].map(({ status }) => status)).toEqual(['running', 'pending', 'pending']);
    await hintsAreHeard();
    for (const message of ['1', '2', '3']) letGo(message);
    for (const { id } of [third, second, first]) await process.readLog(id);
    expect(begun).toEqual(['1', '2', '3']);
  });

  it('hands a slot on to the next waiting run at once when a run ends', async () => {
    const { agent, begun, letGo } = gated();
    const process = await startProcess([agent], { executor: { maxConcurrentRuns: 2 } });
    const runs = await Promise.all(
      ['1', '2', '3', '4'].map((message) => process.runs.start({ ...HI, message })),
    );
    expect(runs.map(({ status }) => status)).toEqual(['running', 'running', 'pending', 'pending']);
    await hintsAreHeard();
    for (const [index, { id }] of runs.entries()) {
      letGo(String(index + 1));
      await process.readLog(id);
    }
    expect(begun).toEqual(['1', '2', '3', '4']);
  });

  it('hands a slot on to a run that was started in another process', async () => {
    const storage = new MemoryStorage();
    const { agent, letGo } = gated();
    const worker = await startProcess([agent], { storage, executor: { maxConcurrentRuns: 1 } });
    await worker.runs.start({ ...HI, message: '1' });
    const elsewhere = await processWith([agent], { storage }).runs.start({ ...HI, message: '2' });
    expect(elsewhere.status).toBe('pending');
    await hintsAreHeard();
    letGo('2');
    letGo('1');
    expect(listTypes(await worker.readLog(elsewhere.id))).toEqual(['run-start', 'end']);
  });

  it.each([
    ['here', true],
    ['elsewhere', false],
  ])('does not let a new run overtake one that was started %s and waits for a slot', async (_, here) => {
    const storage = new MemoryStorage();
    const { agent, begun, letGo } = gated();
    const process = await startProcess([agent], { storage, executor: { maxConcurrentRuns: 2 } });
    const other = processWith([agent], { storage });
    const start = (message: string) => process.runs.start({ ...HI, message });
    const [a, b] = [await start('a'), await start('b')];
    const c = await (here ? start('c') : other.runs.start({ ...HI, message: 'c' }));
    expect(c.status).toBe('pending');
    await hintsAreHeard();
    const claim = held(storage.runs, 'claim');
    letGo('a');
    letGo('b');
    for (const { id } of [a, b]) await process.readLog(id);
    await claim.answered;
    const d = await start('d');
    expect(d.status).toBe('pending');
    claim.letGo();
    letGo('c');
    letGo('d');
    for (const { id } of [c, d]) await process.readLog(id);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    while (process.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    await hintsAreHeard();

    // Nothing waits any more.
    const e = await start('e');
    letGo('e');
    await process.readLog(e.id);
    expect(e.status).toBe('running');
  });

  it('keeps a run waiting while its principal has the maximum of running runs, and begins it afterwards', async () => {
    const { agent, begun, letGo } = gated();
    const process = await startProcess([agent], {
      executor: { maxConcurrentRuns: 10, maxRunsPerPrincipal: 2 },
    });
    const start = (message: string, userId = 'ada') =>
      process.runs.start({ principal: { ...ADA, userId }, message });
    const adas = await Promise.all(['a1', 'a2', 'a3', 'a4'].map((message) => start(message)));
    const bobs = await start('b1', 'bob');
    expect([...adas, bobs].map(({ status }) => status)).toEqual([
      'running',
      'running',
      'pending',
      'pending',
      'running',
    ]);
    await hintsAreHeard();
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    for (const [index, { id }] of adas.entries()) {
      letGo(`a${index + 1}`);
      await process.readLog(id);
    }
    letGo('b1');
    await process.readLog(bobs.id);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
  });

  it('leaves slots for other principals, however many runs one principal starts', async () => {
    const { agent, letGo } = gated();
    const process = await startProcess([agent], {
      executor: { maxConcurrentRuns: 50, maxRunsPerPrincipal: 25 },
    });
    const slow = await Promise.all(
      Array.from({ length: 60 }, (_, index) => process.runs.start({ ...HI, message: `slow-${index}` })),
    );
    const other = await process.runs.start({ principal: { ...ADA, tenant: 'globex' }, message: 'other' });
    expect(slow.filter(({ status }) => status === 'running')).toHaveLength(25);
    expect(other.status).toBe('running');
    letGo('other');
    expect(listTypes(await process.readLog(other.id))).toEqual(['run-start', 'end']);
    for (const { message } of slow) letGo(message);
    for (const { id } of slow) await process.readLog(id);
  });

  it('hands a free slot to the principal with the fewest runs', async () => {
    const { agent, begun, letGo } = gated();
    const process = await startProcess([agent], { executor: { maxConcurrentRuns: 2 } });
    const runs = [];
    for (const [message, userId] of [
      ['a1', 'ada'],
      ['a2', 'ada'],
      ['a3', 'ada'],
      ['a4', 'ada'],
      ['b1', 'bob'],
    ] as const)
      runs.push(await process.runs.start({ principal: { ...ADA, userId }, message }));
    await hintsAreHeard();
    for (const message of ['a1', 'b1', 'a2', 'a3', 'a4']) {
      letGo(message);
      const run = runs.find((each) => each.message === message);
      if (run) await process.readLog(run.id);
    }
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
  });

  it('hands a run back when a drain begins during its start', async () => {
    const storage = new MemoryStorage();
    const agent = new ScriptedAgent(async (_, context) => {
      for (const event of createAnswer(context, ['one'], '1')) void context.emit(event);
      if (context.attempt === 1) await new Promise(() => undefined);
    });
    const first = await startProcess([agent], { storage });
    const create = held(storage.runs, 'create');
    const starting = first.runs.start(HI);
    await create.answered;
    const drained = first.executor.drain(0);
    create.letGo();
    const { id } = await starting;
    await drained;
    expect(first.executor.size).toBe(0);
    const second = await startProcess([agent], { storage });
    expect((await second.readLog(id)).at(-1)).toMatchObject({ epoch: 2, event: { outcome: 'completed' } });
  });

  it('leaves a run pending when no worker is started, and after a drain', async () => {
    const process = processWith([new ScriptedAgent(() => undefined)]);
    expect((await process.runs.start(HI)).status).toBe('pending');
    await process.executor.start();
    await process.executor.drain(0);
    expect((await process.runs.start(HI)).status).toBe('pending');
  });

  it('frees the slot of a run whose start is refused', async () => {
    const { agent, letGo } = gated();
    const process = await startProcess([agent], { executor: { maxConcurrentRuns: 2 } });
    const { id, threadId } = await process.runs.start({ ...HI, message: '1' });
    for (let index = 0; index < 3; index += 1) {
      await expect(process.runs.start({ ...HI, threadId })).rejects.toMatchObject({ code: 'THREAD_BUSY' });
    }
    expect((await process.runs.start({ ...HI, message: '2' })).status).toBe('running');
    letGo('1');
    await process.readLog(id);
  });

  it('hands the slot of a refused start to another run that came meanwhile', async () => {
    const storage = new MemoryStorage();
    const busy = newRun('r1', {
      threadId: 't1',
      principal: ADA,
      owner: { ownerId: 'other', leaseMs: 60_000 },
    });
    await storage.runs.create(busy);
    const agent = new ScriptedAgent(() => undefined);
    const process = await startProcess([agent], { storage, executor: { maxConcurrentRuns: 1 } });
    const create = held(storage.runs, 'create');
    const refused = expect(process.runs.start({ ...HI, threadId: 't1' })).rejects.toMatchObject({
      code: 'THREAD_BUSY',
    });
    await create.answered;
    const { id, status } = await process.runs.start(HI);
    expect(status).toBe('pending');
    await hintsAreHeard();
    create.letGo();
    await refused;
    expect(listTypes(await process.readLog(id))).toEqual(['run-start', 'end']);
  });

  it('runs an agent outside the async context of the request or tool that started it', async () => {
    const asking = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const process = await startProcess([new ScriptedAgent(() => void seen.push(asking.getStore()))]);
    const { id } = await asking.run('a tool', () => process.runs.start(HI));
    await process.readLog(id);
    expect(seen).toEqual([undefined]);
  });

  it('tells the agent that its thread is new only when the server has made the thread id', async () => {
    const storage = new MemoryStorage();
    const told: [string, boolean][] = [];
    const agent = new ScriptedAgent(({ message }, { isNewThread }: AgentContext) => {
      told.push([message, isNewThread]);
    });
    const process = await startProcess([agent], { storage });
    const play = async (message: string, thread: { threadId?: string; createThread?: boolean } = {}) => {
      const run = await process.runs.start({ ...HI, message, ...thread });
      await process.readLog(run.id);
      return run;
    };
    const { threadId } = await play('minted');
    await play('continued', { threadId });
    await play('made', { threadId: 'mine', createThread: true });
    await play('found', { threadId: 'mine', createThread: true });
    const waiting = await processWith([agent], { storage }).runs.start({ ...HI, message: 'claimed' });
    await process.readLog(waiting.id);
    expect(told).toEqual([
      ['minted', true],
      ['continued', false],
      ['made', false],
      ['found', false],
      ['claimed', false],
    ]);
  });

  it('logs the end of a run only, and its claim if it was claimed', async () => {
    const storage = new MemoryStorage();
    const lines: [string, string][] = [];
    const note = (fact: { readonly runId?: string }, line?: string) => {
      if (fact.runId && line?.startsWith('run ')) lines.push([fact.runId, line]);
    };
    const silent = () => undefined;
    Logger.overrideLogger({ log: note, error: silent, warn: silent });
    const agent = new ScriptedAgent(() => undefined);
    const process = await startProcess([agent], { storage });
    const begun = await process.runs.start(HI);
    await process.readLog(begun.id);
    const claimed = await processWith([agent], { storage }).runs.start(HI);
    await process.readLog(claimed.id);
    await process.executor.drain(0);
    expect(lines).toEqual([
      [begun.id, 'run ended'],
      [claimed.id, 'run claimed'],
      [claimed.id, 'run ended'],
    ]);
  });
});
