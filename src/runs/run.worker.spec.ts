import { afterEach, describe, expect, it } from '@jest/globals';
import type { AgentContext } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { foldRun, getText } from '../events/run-view.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { LEASE_MS } from '../testing/storage/storage-samples.js';
import { ADA, aborted, processWith, listTypes } from './run.testing.js';
import { drainProcesses, HandClock, startProcess, waitForEvent } from './run-worker.testing.js';

const said = (log: readonly RecordedEvent[]) => getText(foldRun('', log));

/** Says the first words of a step with this attempt's number, and then hangs; in a later attempt it completes. */
const hangsAtFirst = () =>
  new ScriptedAgent(async (_, context) => {
    const { attempt, emit, signal } = context;
    if (attempt > 1) {
      for (const event of createAnswer(context, [`attempt ${attempt}`], 'open')) void emit(event);
      return;
    }
    for (const event of createAnswer(context, ['done, '], 'done')) void emit(event);
    for (const event of createAnswer(context, ['half of'], 'open').slice(0, -2)) void emit(event);
    await aborted(signal);
  });

/** Makes every call to one of a storage's ports fail, for as long as the test wants. */
function failing<Port extends object>(port: Port, method: keyof Port & string): { off(): void } {
  const original = port[method];
  Object.assign(port, {
    [method]: async () => {
      throw new AppError('STORAGE_FAILED', 'The storage is away.');
    },
  });
  return { off: () => void Object.assign(port, { [method]: original }) };
}

describe('RunWorker', () => {
  afterEach(drainProcesses);

  it('takes on runs that already wait and runs that come later', async () => {
    const agent = new ScriptedAgent((_, { emit }) => void emit({ type: 'custom', name: 'n', data: 1 }));
    const storage = new MemoryStorage();
    const earlier = await processWith([agent], { storage }).runs.start({ principal: ADA, message: '1' });
    const process = await startProcess([agent], { storage });
    const later = await process.runs.start({ principal: ADA, message: '2' });
    for (const { id } of [earlier, later]) {
      expect(listTypes(await process.readLog(id))).toEqual(['run-start', 'custom', 'end']);
    }
  });

  it('works on at most maxConcurrentRuns runs at a time', async () => {
    let working = 0;
    let most = 0;
    const agent = new ScriptedAgent(async () => {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
    });
    const process = await startProcess([agent], { executor: { maxConcurrentRuns: 3 } });
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => process.runs.start({ principal: ADA, message: 'Hi' })),
    );
    const logs = await Promise.all(runs.map(({ id }) => process.readLog(id)));
    expect(logs.map((log) => log.at(-1)?.event)).toEqual(
      Array(20).fill(expect.objectContaining({ outcome: 'completed' })),
    );
    expect(most).toBe(3);
  });

  it('starts the queued runs of a thread in order, each after the one before has ended', async () => {
    const order: string[] = [];
    const agent = new ScriptedAgent(async ({ message }) => {
      order.push(`${message} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${message} ends`);
    });
    const process = await startProcess([agent], { whenBusy: 'queue' });
    const first = await process.runs.start({ principal: ADA, message: '1' });
    const { threadId } = first;
    const second = await process.runs.start({ principal: ADA, message: '2', threadId });
    const third = await process.runs.start({ principal: ADA, message: '3', threadId });
    for (const { id } of [third, second, first]) await process.readLog(id);
    expect(order).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  });

  it('takes over from a dead owner and supersedes its unfinished step before anything new', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const dead = await startProcess([hangsAtFirst()], { storage, executor: { leaseMs: 1_000_000 } });
    const { id } = await dead.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(dead, id, 'text-start');
    clock.now += 2_000_000;

    const next = await startProcess([hangsAtFirst()], { storage });
    const log = await next.readLog(id);
    const takeover = log.findIndex(({ event }) => event.type === 'run-resume');
    expect(log.slice(takeover).map(({ event }) => event)).toMatchObject([
      { type: 'run-resume', reason: 'restart' },
      { type: 'step-reset', stepId: 'step-open', attempt: 2, reason: 'restart' },
      { type: 'step-start', stepId: 'step-open', attempt: 2 },
      { type: 'text-start' },
      { type: 'text-delta', delta: 'attempt 2' },
      { type: 'text-end' },
      { type: 'step-end', attempt: 2 },
      { type: 'end', outcome: 'completed' },
    ]);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(log.map(({ epoch }) => epoch)).toEqual(log.map((_, index) => (index < takeover ? 1 : 2)));
    expect(said(log)).toBe('done, attempt 2');
    expect(foldRun(id, await storage.log.read(id, 0, 1_000))).toEqual(foldRun(id, log));
  });

  it('ignores events of an owner that lost its lease', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    let old: AgentContext | undefined;
    const hangs = new ScriptedAgent(async (_, context) => {
      old ??= context;
      if (context.attempt === 1) await aborted(context.signal);
    });
    const paused = await startProcess([hangs], { storage, executor: { leaseMs: 1_000_000 } });
    const { id } = await paused.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(paused, id, 'run-start');
    clock.now += 2_000_000;
    const next = await startProcess([hangs], { storage });
    const log = await next.readLog(id);

    void old?.emit({ type: 'custom', name: 'zombie', data: 1 });
    await aborted((old as AgentContext).signal);
    await paused.executor.drain(0);
    expect(await storage.log.read(id, 0, 1_000)).toEqual(log);
    expect(paused.recent.read(id, 0, 10)).toBeUndefined();
  });

  it('gives a run back at its next step boundary, and the next process continues from there', async () => {
    const storage = new MemoryStorage();
    const reached = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const steps = (name: string) =>
      new ScriptedAgent(
        async (_, context) => {
          const { attempt, emit, signal } = context;
          if (attempt === 1) {
            const events = createAnswer(context, ['one '], '1');
            for (const event of events.slice(0, 3)) void emit(event);
            reached.resolve();
            await proceed.promise;
            for (const event of events.slice(3)) void emit(event);
            await Promise.resolve();
            expect(signal.aborted).toBe(true);
          }
          for (const event of createAnswer(context, ['two'], '2')) void emit(event);
        },
        { name },
      );
    const first = await startProcess([steps('a')], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await reached.promise;
    const drained = first.executor.drain(600_000);
    proceed.resolve();
    await drained;
    expect(first.executor.size).toBe(0);

    const second = await startProcess([steps('a')], { storage });
    const log = await second.readLog(id);
    expect(said(log)).toBe('one two');
    expect(log.find(({ event }) => event.type === 'run-resume')).toMatchObject({
      epoch: 2,
      event: { reason: 'restart' },
    });
    expect(listTypes(log)).not.toContain('step-reset');
  });

  it('records a correction whole before it gives a run back', async () => {
    const storage = new MemoryStorage();
    const reached = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const corrects = () =>
      new ScriptedAgent(async (_, context) => {
        const { attempt, emit } = context;
        if (attempt > 1) return;
        const said = createAnswer(context, ['Secret. '], '1');
        const better = createAnswer(context, ['Redacted. '], '2');
        for (const event of [...said, better[0]!]) void emit(event);
        reached.resolve();
        await proceed.promise;
        // Takes back what the first step has said, which begins and ends once more, and then says something else.
        void emit({ type: 'step-reset', stepId: 'step-1', attempt, reason: 'replaced' });
        for (const event of [said[0]!, said.at(-1)!, ...better.slice(1)]) void emit(event);
        await new Promise(setImmediate);
        for (const event of createAnswer(context, ['Too late.'], '3')) void emit(event);
      });
    const first = await startProcess([corrects()], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await reached.promise;
    const drained = first.executor.drain(600_000);
    proceed.resolve();
    await drained;

    const second = await startProcess([corrects()], { storage });
    const log = await second.readLog(id);
    expect(getText(foldRun(id, log))).toBe('Redacted. ');
  });

  it('gives a run back in the middle of a step when the drain time is over', async () => {
    const storage = new MemoryStorage();
    const first = await startProcess([hangsAtFirst()], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(first, id, 'text-start');
    await first.executor.drain(0);
    const second = await startProcess([hangsAtFirst()], { storage });
    const log = await second.readLog(id);
    expect(said(log)).toBe('done, attempt 2');
    expect(listTypes(log)).toContain('step-reset');
  });

  it('claims nothing after a drain and leaves no timer', async () => {
    const storage = new MemoryStorage();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const agent = new ScriptedAgent(() => undefined);
    const worker = processWith([agent], { storage });
    await worker.executor.start();
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await worker.readLog(id);
    await worker.executor.drain(600_000);
    await worker.executor.drain(600_000);
    const late = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect((await storage.runs.get(late.id))?.status).toBe('pending');
    // Those that others have left here may have ended meanwhile.
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('continues a run after its log could not be written for a while', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const away = Promise.withResolvers<void>();
    const agent = new ScriptedAgent(async (_, context) => {
      const { attempt, emit, signal } = context;
      for (const event of createAnswer(context, [`attempt ${attempt}`], 'open').slice(0, 3)) void emit(event);
      if (attempt > 1) return;
      await away.promise;
      void emit({ type: 'custom', name: 'lost', data: 1 });
      await aborted(signal);
    });
    const worker = await startProcess([agent], { storage });
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(worker, id, 'text-delta');
    const append = failing(storage.log, 'append');
    const reader = worker.readLog(id);
    away.resolve();
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    append.off();
    clock.now += LEASE_MS;
    storage.wakeups.notify('pending');
    const log = await reader;
    expect(said(log)).toBe('attempt 2');
    expect(listTypes(log)).not.toContain('custom');
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });

  it('leaves a run to its next owner when its agent fails with a retryable storage error', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const failed = Promise.withResolvers<void>();
    const agent = new ScriptedAgent(async (_, context) => {
      for (const event of createAnswer(context, [`attempt ${context.attempt}`])) void context.emit(event);
      if (context.attempt > 1) return;
      await context.recorded();
      failed.resolve();
      throw new AppError('STORAGE_FAILED', 'The database cannot be reached.', { retryable: true });
    });
    const worker = await startProcess([agent], { storage });
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await failed.promise;
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await storage.runs.get(id))?.status).toBe('running');
    clock.now += LEASE_MS;
    storage.wakeups.notify('pending');
    const log = await worker.readLog(id);
    expect(said(log)).toContain('attempt 2');
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });

  it('fails a run whose agent fails with a storage error that is not retryable', async () => {
    const agent = new ScriptedAgent(() => {
      throw new AppError('STORAGE_FAILED', 'The storage cannot be read or written.');
    });
    const worker = await startProcess([agent], {});
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const log = await worker.readLog(id);
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'failed', error: { code: 'STORAGE_FAILED' } });
  });

  it('shows readers the end of the next owner when an end could not be written', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const proceed = Promise.withResolvers<void>();
    const worker = await startProcess(
      [new ScriptedAgent((_, { attempt }) => (attempt === 1 ? proceed.promise : undefined))],
      {
        storage,
      },
    );
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(worker, id, 'run-start');
    const append = failing(storage.log, 'append');
    proceed.resolve();
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    append.off();
    clock.now += LEASE_MS;
    const other = await startProcess([new ScriptedAgent(() => undefined)], { storage });
    expect(listTypes(await other.readLog(id))).toEqual(['run-start', 'run-resume', 'end']);
    // The process that failed has not kept its own idea of the log.
    expect(listTypes(await worker.readLog(id))).toEqual(['run-start', 'run-resume', 'end']);
  });

  it.each(['claim', 'get'] as const)('completes a run after a failed %s', async (method) => {
    const storage = new MemoryStorage();
    const worker = await startProcess([new ScriptedAgent(() => undefined)], { storage });
    const port = failing(storage.runs, method);
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    storage.wakeups.notify(`control:${id}`);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    port.off();
    storage.wakeups.notify('pending');
    expect((await worker.readLog(id)).at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });
});
