import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { AgentContext } from '../agents/agent.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ScriptedAgent } from '../testing/scripted.agent.js';
import { ALICE, LEASE_MS, newRun } from '../testing/storage/storage-samples.js';
import { ADA, aborted, listTypes } from './run.testing.js';
import { drainProcesses, HandClock, startProcess, waitForEvent } from './run-worker.testing.js';

describe('RunWorker with dying owners', () => {
  afterEach(drainProcesses);

  it('does not take over a run that it works on, and renews its expired lease', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    const contexts: AgentContext[] = [];
    const agent = new ScriptedAgent(async (_, context) => {
      contexts.push(context);
      await aborted(context.signal);
    });
    const process = await startProcess([agent], { storage, executor: { leaseMs: LEASE_MS } });
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(process, id, 'run-start');
    for (const step of [3_600_000, -7_200_000]) {
      clock.now += step;
      storage.wakeups.notify('pending');
      // One that waits is claimed by the same look, so that is over when this one has begun.
      const waiting = newRun(`after${step}`);
      await storage.runs.create(waiting);
      storage.wakeups.notify('pending');
      await waitForEvent(process, waiting.id, 'run-start');
      await process.runs.cancel(waiting.principal, waiting.id);
      await process.readLog(waiting.id);
    }
    expect(contexts.filter(({ runId }) => runId === id).map(({ attempt }) => attempt)).toEqual([1]);
    await process.runs.cancel(ADA, id);
    const log = await process.readLog(id);
    expect(listTypes(log)).not.toContain('run-resume');
    expect(log.at(-1)).toMatchObject({ epoch: 1, event: { outcome: 'cancelled' } });
  });

  it('fails a run whose owners have died three times, without running its agent again', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    await storage.runs.create(newRun('r1', { owner: { ownerId: 'dead', leaseMs: LEASE_MS } }));
    for (let death = 1; death < 3; death += 1) {
      clock.now += LEASE_MS;
      expect(await storage.runs.claim({ ownerId: 'dead', leaseMs: LEASE_MS })).toMatchObject({
        deaths: death,
      });
    }
    clock.now += LEASE_MS;
    const ran: string[] = [];
    const agent = new ScriptedAgent(async (_, { runId }) => void ran.push(runId), { name: 'assistant' });
    const process = await startProcess([agent], { storage });
    const log = await process.readLog('r1');
    expect(log.map(({ event }) => event)).toMatchObject([
      { type: 'run-start' },
      { type: 'end', outcome: 'failed', error: { code: 'RUN_POISONED', retryable: false } },
    ]);
    expect(ran).toEqual([]);
    // The thread is of use again.
    const next = await process.runs.start({
      principal: ALICE,
      threadId: 'thread-of-r1',
      message: 'And now?',
    });
    expect((await process.readLog(next.id)).at(-1)).toMatchObject({ event: { outcome: 'completed' } });
    expect(ran).toEqual([next.id]);
  });

  it('does not count a death when a run is given back in order', async () => {
    const storage = new MemoryStorage();
    const agent = new ScriptedAgent(async (_, { attempt, signal }) => {
      if (attempt <= 5) await aborted(signal);
    });
    const first = await startProcess([agent], { storage });
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(first, id, 'run-start');
    await first.executor.drain(0);
    for (let restart = 2; restart <= 5; restart += 1) {
      const next = await startProcess([agent], { storage });
      await next.executor.drain(0);
    }
    const last = await startProcess([agent], { storage });
    const log = await last.readLog(id);
    expect(log.filter(({ event }) => event.type === 'run-resume')).toHaveLength(5);
    expect(log.at(-1)).toMatchObject({ event: { outcome: 'completed' } });
  });

  it('takes on runs that may be poisoned one at a time, so that other runs are not lost with them', async () => {
    const clock = new HandClock();
    const storage = new MemoryStorage({ clock: clock.read });
    for (const id of ['bad', 'beside'])
      await storage.runs.create(newRun(id, { owner: { ownerId: 'dead', leaseMs: LEASE_MS } }));
    clock.now += LEASE_MS;
    for (let run = 0; run < 2; run += 1) await storage.runs.claim({ ownerId: 'dead', leaseMs: LEASE_MS });
    clock.now += LEASE_MS;
    const begun: string[] = [];
    const gate = Promise.withResolvers<void>();
    const agent = new ScriptedAgent(
      async (_, { runId }) => {
        begun.push(runId);
        if (runId === 'bad') await gate.promise;
      },
      { name: 'assistant' },
    );
    const process = await startProcess([agent], { storage });
    await storage.runs.create(newRun('fresh'));
    storage.wakeups.notify('pending');
    await process.readLog('fresh');
    expect(begun).toEqual(['bad', 'fresh']);
    gate.resolve();
    expect((await process.readLog('beside')).at(-1)).toMatchObject({ event: { outcome: 'completed' } });
    expect(begun).toEqual(['bad', 'fresh', 'beside']);
  });

  it('counts the time of a run from its beginning over all its owners', async () => {
    const storage = new MemoryStorage();
    const agent = new ScriptedAgent((_, { signal }) => aborted(signal), { name: 'assistant' });
    await storage.runs.create(newRun('r1', { owner: { ownerId: 'before', leaseMs: LEASE_MS } }));
    const event = { type: 'run-start', agent: 'assistant', messageId: 'm' } as const;
    const place = { runId: 'r1', threadId: 'thread-of-r1', seq: 1, epoch: 1, at: Date.now() - 60_000 };
    await storage.log.append([{ runId: 'r1', epoch: 1, afterSeq: 0, events: [{ ...place, event }] }]);
    await storage.runs.release({ runId: 'r1', epoch: 1 });
    const process = await startProcess([agent], { storage, limits: { maxMs: 50_000 } });
    expect((await process.readLog('r1')).at(-1)).toMatchObject({
      event: { outcome: 'failed', error: { code: 'RUN_LIMIT' } },
    });
  });

  it('warns for how long the event loop was blocked, and which steps were running', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const now = jest.spyOn(performance, 'now');
    const agent = new ScriptedAgent(async (_, context) => {
      void context.emit({ type: 'step-start', stepId: 's', name: 'crunch', attempt: 1 });
      await aborted(context.signal);
    });
    const process = await startProcess([agent], {});
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await waitForEvent(process, id, 'step-start');
    const late = performance.now() + 60_000;
    now.mockReturnValue(late);
    const found = () =>
      warned.mock.calls.map(([entry]) => entry as object).find((entry) => 'blockedMs' in entry);
    while (!found()) await new Promise((resolve) => setImmediate(resolve));
    expect(found()).toMatchObject({ runs: [{ runId: id, steps: ['crunch'] }] });
    expect(Number((found() as { blockedMs?: number }).blockedMs)).toBeGreaterThan(50_000);
    now.mockRestore();
    warned.mockRestore();
  });
});
