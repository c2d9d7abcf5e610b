import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AgentRegistry } from '../agents/agent.registry.js';
import { GroupCommit } from '../runs/group-commit.js';
import { EventCache } from '../runs/event.cache.js';
import { RunWorker } from '../runs/run.worker.js';
import { DEFAULT_LIMITS } from '../runs/run-limits.js';
import { SqliteStorage } from '../storage/sqlite/sqlite.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { newRun } from '../testing/storage/storage-samples.js';
import { Readiness } from './readiness.js';

// That a run is left to its next owner is logged, and not what is tested.
Logger.overrideLogger(false);

describe('readiness while the disk fills up', () => {
  let storage: SqliteStorage;

  beforeEach(async () => {
    storage = new SqliteStorage({ directory: ':memory:', maxFileBytes: 3 * 1024 * 1024 });
    await storage.open();
  });
  afterEach(() => storage.close());

  it('reports storage-failed, aborts the agent and leaves the run to its next owner', async () => {
    const readiness = new Readiness(storage);
    expect(await readiness.check()).toBe('ready');

    const stopped = Promise.withResolvers<void>();
    const chatty = new ScriptedAgent(async (_, context) => {
      const opening = createAnswer(context, []).slice(0, 2);
      for (const event of opening) await context.emit(event);
      while (!context.signal.aborted)
        await context.emit({ type: 'text-delta', partId: 'part-1-1', delta: 'x'.repeat(64_000) });
      stopped.resolve();
    });
    const agents = new AgentRegistry();
    agents.register(chatty);
    const { runs, log, wakeups } = storage;
    const executor = new RunWorker(
      agents,
      {
        runs,
        log,
        wakeups,
        limits: DEFAULT_LIMITS,
        recent: new EventCache(),
        commits: new GroupCommit(log),
      },
      { maxConcurrentRuns: 1, leaseMs: 600_000 },
    );
    await runs.create(newRun('r1', { agent: chatty.name }));
    await executor.start();
    await stopped.promise;
    await executor.drain(0);

    expect(await readiness.check()).toBe('storage-failed');
    const run = await runs.get('r1');
    expect(run).toMatchObject({ status: 'running' });
    // What was acknowledged is there.
    expect(await log.read('r1', (run?.lastSeq ?? 0) - 1, 10)).toHaveLength(1);
  });
});
