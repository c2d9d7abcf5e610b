import { afterEach, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import type { Agent, AgentContext } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { foldRun, textOf } from '../events/run-view.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { answer, ScriptedAgent } from '../testing/scripted.agent.js';
import { ADA, aborted, processWith, typesOf, type Process, type ProcessOptions } from './run.testing.js';

const LEASE_MS = 4_000;

/** A clock that the test moves: leases run out without anybody waiting for it. */
class HandClock {
  now = 1_000_000;
  readonly read = () => this.now;
}

const processes: Process[] = [];

/** A process that is drained when the test is over. */
async function started(agents: readonly Agent[], options: ProcessOptions): Promise<Process> {
  const process = processWith(agents, options);
  processes.push(process);
  await process.executor.start();
  return process;
}

const has = (process: Process, runId: string, type: RunEvent['type']) =>
  firstValueFrom(
    process.feed.follow({ runId, afterSeq: 0 }).pipe(filter(({ event }) => event.type === type)),
  );

const said = (log: readonly RecordedEvent[]) => textOf(foldRun('', log));

/** Says the first words of a step with this attempt's number, and then hangs; in a later attempt it completes. */
const hangsAtFirst = () =>
  new ScriptedAgent(async (_, context) => {
    const { attempt, emit, signal } = context;
    if (attempt > 1) {
      for (const event of answer(context, [`attempt ${attempt}`], 'open')) void emit(event);
      return;
    }
    for (const event of answer(context, ['done, '], 'done')) void emit(event);
    for (const event of answer(context, ['half of'], 'open').slice(0, -2)) void emit(event);
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

describe('run executor', () => {
  afterEach(async () => {
    await Promise.all(processes.splice(0).map(({ executor }) => executor.drain(0)));
  });

  it('takes on what waits already, and what comes', async () => {
    const agent = new ScriptedAgent((_, { emit }) => void emit({ type: 'custom', name: 'n', data: 1 }));
    const storage = new MemoryStorage();
    const earlier = await processWith([agent], { storage }).runs.start({ principal: ADA, message: '1' });
    const process = await started([agent], { storage });
    const later = await process.runs.start({ principal: ADA, message: '2' });
    for (const { id } of [earlier, later]) {
      expect(typesOf(await process.logOf(id))).toEqual(['run-start', 'custom', 'end']);
    }
  });

  it('works on no more runs at a time than it may', async () => {
    let working = 0;
    let most = 0;
    const agent = new ScriptedAgent(async () => {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
    });
    const process = await started([agent], { executor: { maxConcurrentRuns: 3 } });
    const runs = await Promise.all(
      Array.from({ length: 20 }, () => process.runs.start({ principal: ADA, message: 'Hi' })),
    );
    const logs = await Promise.all(runs.map(({ id }) => process.logOf(id)));
    expect(logs.map((log) => log.at(-1)?.event)).toEqual(
      Array(20).fill(expect.objectContaining({ outcome: 'completed' })),
    );
    expect(most).toBe(3);
  });

  it("starts a queued run when the thread's run before it has ended, in order", async () => {
    const order: string[] = [];
    const agent = new ScriptedAgent(async ({ message }) => {
      order.push(`${message} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${message} ends`);
    });
    const process = await started([agent], { whenBusy: 'queue' });
    const first = await process.runs.start({ principal: ADA, message: '1' });
    const { threadId } = first;
    const second = await process.runs.start({ principal: ADA, message: '2', threadId });
    const third = await process.runs.start({ principal: ADA, message: '3', threadId });
    for (const { id } of [third, second, first]) await process.logOf(id);
    expect(order).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  });

  it('takes over from a dead owner: what that had not finished is superseded before anything new', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const dead = await started([hangsAtFirst()], { storage, executor: { leaseMs: 1_000_000 } });
    const { id } = await dead.runs.start({ principal: ADA, message: 'Hi' });
    await has(dead, id, 'text-start');
    clock.now += 2_000_000;

    const next = await started([hangsAtFirst()], { storage });
    const log = await next.logOf(id);
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

  it('hears nothing more of an owner that lost its lease', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    let old: AgentContext | undefined;
    const hangs = new ScriptedAgent(async (_, context) => {
      old ??= context;
      if (context.attempt === 1) await aborted(context.signal);
    });
    const paused = await started([hangs], { storage, executor: { leaseMs: 1_000_000 } });
    const { id } = await paused.runs.start({ principal: ADA, message: 'Hi' });
    await has(paused, id, 'run-start');
    clock.now += 2_000_000;
    const next = await started([hangs], { storage });
    const log = await next.logOf(id);

    void old?.emit({ type: 'custom', name: 'zombie', data: 1 });
    await aborted((old as AgentContext).signal);
    await paused.executor.drain(0);
    expect(await storage.log.read(id, 0, 1_000)).toEqual(log);
    expect(paused.recent.read(id, 0, 10)).toBeUndefined();
  });

  it('takes over its own run after it was away too long, and tells the one before to stop', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const contexts: AgentContext[] = [];
    const agent = new ScriptedAgent(async (_, context) => {
      contexts.push(context);
      await aborted(context.signal);
    });
    // Renewals that fail, as those of a process that was stopped for a while.
    const process = await started([agent], { storage, executor: { leaseMs: LEASE_MS } });
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await has(process, id, 'run-start');
    clock.now += LEASE_MS;
    storage.wakeups.notify('pending');
    await has(process, id, 'run-resume');
    await aborted((contexts[0] as AgentContext).signal);
    expect(contexts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    // The first execution is over by then, and takes nothing of the second with it.
    await new Promise((resolve) => setImmediate(resolve));
    expect(process.executor.size).toBe(1);
    await process.runs.cancel(ADA, id);
    expect((await process.logOf(id)).at(-1)).toMatchObject({ epoch: 2, event: { outcome: 'cancelled' } });
  });

  it('gives a run back at its next step boundary, and the next process goes on from there', async () => {
    const storage = new MemoryStorage();
    const reached = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const steps = (name: string) =>
      new ScriptedAgent(
        async (_, context) => {
          const { attempt, emit, signal } = context;
          if (attempt === 1) {
            const events = answer(context, ['one '], '1');
            for (const event of events.slice(0, 3)) void emit(event);
            reached.resolve();
            await proceed.promise;
            for (const event of events.slice(3)) void emit(event);
            expect(signal.aborted).toBe(true);
          }
          for (const event of answer(context, ['two'], '2')) void emit(event);
        },
        { name },
      );
    const first = await started([steps('a')], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await reached.promise;
    const drained = first.executor.drain(600_000);
    proceed.resolve();
    await drained;
    expect(first.executor.size).toBe(0);

    const second = await started([steps('a')], { storage });
    const log = await second.logOf(id);
    expect(said(log)).toBe('one two');
    expect(log.find(({ event }) => event.type === 'run-resume')).toMatchObject({
      epoch: 2,
      event: { reason: 'restart' },
    });
    expect(typesOf(log)).not.toContain('step-reset');
  });

  it('gives a run back in the middle of a step when the window closes', async () => {
    const storage = new MemoryStorage();
    const first = await started([hangsAtFirst()], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await has(first, id, 'text-start');
    await first.executor.drain(0);
    const second = await started([hangsAtFirst()], { storage });
    const log = await second.logOf(id);
    expect(said(log)).toBe('done, attempt 2');
    expect(typesOf(log)).toContain('step-reset');
  });

  it('claims nothing once it drains, and leaves no timer and no listener behind', async () => {
    const storage = new MemoryStorage();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const agent = new ScriptedAgent(() => undefined);
    const worker = processWith([agent], { storage });
    await worker.executor.start();
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await worker.logOf(id);
    await worker.executor.drain(600_000);
    await worker.executor.drain(600_000);
    const late = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect((await storage.runs.get(late.id))?.status).toBe('pending');
    expect(timers()).toBe(before);
  });

  it('survives a log that cannot be written for a while: the run goes on when it can', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const away = Promise.withResolvers<void>();
    const agent = new ScriptedAgent(async (_, context) => {
      const { attempt, emit, signal } = context;
      for (const event of answer(context, [`attempt ${attempt}`], 'open').slice(0, 3)) void emit(event);
      if (attempt > 1) return;
      await away.promise;
      void emit({ type: 'custom', name: 'lost', data: 1 });
      await aborted(signal);
    });
    const worker = await started([agent], { storage });
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await has(worker, id, 'text-delta');
    const append = failing(storage.log, 'append');
    const reader = worker.logOf(id);
    away.resolve();
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    append.off();
    clock.now += LEASE_MS;
    storage.wakeups.notify('pending');
    const log = await reader;
    expect(said(log)).toBe('attempt 2');
    expect(typesOf(log)).not.toContain('custom');
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });

  it('leaves a run to its next owner when its agent cannot reach what it remembers', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const failed = Promise.withResolvers<void>();
    const agent = new ScriptedAgent(async (_, context) => {
      for (const event of answer(context, [`attempt ${context.attempt}`])) void context.emit(event);
      if (context.attempt > 1) return;
      await context.recorded();
      failed.resolve();
      throw new AppError('STORAGE_FAILED', 'The database cannot be reached.', { retryable: true });
    });
    const worker = await started([agent], { storage });
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await failed.promise;
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await storage.runs.get(id))?.status).toBe('running');
    clock.now += LEASE_MS;
    storage.wakeups.notify('pending');
    const log = await worker.logOf(id);
    expect(said(log)).toContain('attempt 2');
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });

  it('ends a run whose agent has something to remember that the storage refuses', async () => {
    const agent = new ScriptedAgent(() => {
      throw new AppError('STORAGE_FAILED', 'The storage cannot be read or written.');
    });
    const worker = await started([agent], {});
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const log = await worker.logOf(id);
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'failed', error: { code: 'STORAGE_FAILED' } });
  });

  it('survives an end that cannot be written: who watches sees how the next owner ends it', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const proceed = Promise.withResolvers<void>();
    const worker = await started(
      [new ScriptedAgent((_, { attempt }) => (attempt === 1 ? proceed.promise : undefined))],
      {
        storage,
      },
    );
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    await has(worker, id, 'run-start');
    const append = failing(storage.log, 'append');
    proceed.resolve();
    while (worker.executor.size > 0) await new Promise((resolve) => setImmediate(resolve));
    append.off();
    clock.now += LEASE_MS;
    const other = await started([new ScriptedAgent(() => undefined)], { storage });
    expect(typesOf(await other.logOf(id))).toEqual(['run-start', 'run-resume', 'end']);
    // The process that failed has not kept its own idea of the log.
    expect(typesOf(await worker.logOf(id))).toEqual(['run-start', 'run-resume', 'end']);
  });

  it.each(['claim', 'get'] as const)('survives a %s that fails', async (method) => {
    const storage = new MemoryStorage();
    const worker = await started([new ScriptedAgent(() => undefined)], { storage });
    const port = failing(storage.runs, method);
    const { id } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    storage.wakeups.notify(`control:${id}`);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    port.off();
    storage.wakeups.notify('pending');
    expect((await worker.logOf(id)).at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });
});
