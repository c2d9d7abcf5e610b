import { describe, expect, it } from '@jest/globals';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { Principal } from '../principal.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { SqliteStorage } from '../storage/sqlite/sqlite.storage.js';
import { claimRun, endRun } from '../testing/storage/storage-samples.js';
import { ScriptedAgent } from '../testing/scripted.agent.js';
import { RunService } from './run.service.js';
import { ADA, processWith } from './run.testing.js';
import { threadTopic } from './wakeups.js';

const EVE: Principal = { userId: 'eve', tenant: 'acme', roles: [] };
const OTHER_ADA: Principal = { ...ADA, tenant: 'globex' };

const silent = new ScriptedAgent(() => undefined);
const request = { principal: ADA, message: 'Hi' };

describe('RunService', () => {
  it('stores a pending run of the default agent in a new thread', async () => {
    const { runs } = processWith([silent]);
    const run = await runs.start({ ...request, metadata: { from: 'page' } });
    expect(run).toMatchObject({
      agent: 'scripted',
      status: 'pending',
      principal: ADA,
      message: 'Hi',
      metadata: { from: 'page' },
      epoch: 0,
      lastSeq: 0,
    });
    expect(run.id).toMatch(/^[a-z0-9]{20}$/);
    expect(await runs.get(ADA, run.id)).toEqual(run);
  });

  it("wakes the followers of a new run's thread and no others", async () => {
    const { runs, storage } = processWith([silent]);
    const hinted: string[] = [];
    const heard = new Promise<void>((resolve) => {
      storage.wakeups.listen(threadTopic(ADA, 'other'), () => hinted.push('other'));
      storage.wakeups.listen(threadTopic({ ...ADA, tenant: 'globex' }, 'mine'), () => hinted.push('other'));
      storage.wakeups.listen(threadTopic(ADA, 'mine'), () => {
        hinted.push('mine');
        resolve();
      });
    });
    await runs.start({ ...request, threadId: 'mine', createThread: true });
    await heard;
    expect(hinted).toEqual(['mine']);
  });

  it('asks two starts that take the place of what goes on in the same place', async () => {
    const { runs, storage } = processWith([silent]);
    const { id } = await runs.start({ ...request, threadId: 'mine', createThread: true });
    const before = await claimRun(storage);
    if (before?.id !== id) throw new Error('The run was not claimed.');
    await endRun(storage, before);
    const start = { ...request, threadId: 'mine', whenBusy: 'rollback' } as const;
    const places = (await Promise.all([runs.start(start), runs.start(start)])).map(
      ({ parentId }) => parentId,
    );
    expect(places).toEqual([id, id]);
  });

  it('refuses an unknown agent', async () => {
    const { runs } = processWith([silent]);
    await expect(runs.start({ ...request, agent: 'nobody' })).rejects.toMatchObject({
      code: 'AGENT_UNKNOWN',
      message: "There is no agent 'nobody'. Available: scripted.",
    });
  });

  it('refuses a run that is to begin later than in a week, or at no time', async () => {
    const { runs } = processWith([silent]);
    const week = 7 * 24 * 60 * 60_000;
    for (const delayMs of [week + 1, -1, 1.5, Number.NaN, Infinity])
      await expect(runs.start({ ...request, delayMs })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(await runs.start({ ...request, delayMs: week })).toMatchObject({ status: 'pending' });
  });

  it('refuses a run that is to begin later when a hundred of its owner already are', async () => {
    const { runs } = processWith([silent]);
    for (let n = 0; n < 100; n += 1) await runs.start({ ...request, delayMs: 60_000 });
    await expect(runs.start({ ...request, delayMs: 60_000 })).rejects.toMatchObject({
      code: 'TOO_MANY_DELAYED',
      message: 'At most 100 of your runs can begin later. Cancel one of them, or wait until one begins.',
    });
    expect(await runs.start(request)).toMatchObject({ status: 'pending' });
    expect(await runs.start({ ...request, principal: EVE, delayMs: 60_000 })).toMatchObject({
      status: 'pending',
    });
  });

  it('returns the same run for the same key and an equal request, in any order of its fields', async () => {
    const { runs } = processWith([silent]);
    const keyed = { ...request, idempotencyKey: 'k' };
    const run = await runs.start({ ...keyed, metadata: { a: 1, b: { c: 2, d: [3] } } });
    expect(await runs.start({ ...keyed, metadata: { b: { d: [3], c: 2 }, a: 1 } })).toEqual(run);
  });

  it('refuses a key that was used with another request', async () => {
    const { runs } = processWith([silent]);
    await runs.start({ ...request, idempotencyKey: 'k' });
    await expect(runs.start({ ...request, message: 'Hello', idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('keeps the idempotency keys of principals apart', async () => {
    const { runs } = processWith([silent]);
    const keyed = { message: 'Hi', idempotencyKey: 'k' };
    const started = await Promise.all(
      [ADA, EVE, OTHER_ADA].map((principal) => runs.start({ ...keyed, principal })),
    );
    expect(new Set(started.map(({ id }) => id)).size).toBe(3);
  });

  it.each([
    ['memory', () => new MemoryStorage()],
    ['sqlite', () => new SqliteStorage({ directory: ':memory:' })],
  ])('starts one run for 100 concurrent requests with one key in %s', async (_, make) => {
    const storage = make();
    await storage.open();
    const { runs } = processWith([silent], { storage });
    const started = await Promise.all(
      Array.from({ length: 100 }, () => runs.start({ ...request, idempotencyKey: 'k' })),
    );
    expect(new Set(started.map(({ id }) => id)).size).toBe(1);
    const threads = await storage.runs.listThreads(ADA, { limit: 10 });
    expect(threads.items).toHaveLength(1);
    await storage.close();
  });

  it('refuses a second run in a busy thread and names the run to wait for', async () => {
    const { runs } = processWith([silent]);
    const { id, threadId } = await runs.start(request);
    await expect(runs.start({ ...request, threadId })).rejects.toMatchObject({
      code: 'THREAD_BUSY',
      retryable: true,
      options: { details: { runId: id } },
    });
  });

  it('refuses the runs and threads of others exactly like unknown ones', async () => {
    const { runs } = processWith([silent]);
    const { id, threadId } = await runs.start(request);
    const problem = (wanted: Promise<unknown>, name: string) =>
      wanted.then(
        () => 'found',
        ({ code, message, options }) => JSON.stringify({ code, message, options }).replaceAll(name, '?'),
      );
    for (const stranger of [EVE, OTHER_ADA]) {
      const asked = { principal: stranger, message: 'Hi' };
      expect(await problem(runs.get(stranger, id), id)).toBe(await problem(runs.get(stranger, 'nix'), 'nix'));
      expect(await problem(runs.cancel(stranger, id), id)).toBe(
        await problem(runs.cancel(stranger, 'nix'), 'nix'),
      );
      expect(await problem(runs.start({ ...asked, threadId }), threadId)).toBe(
        await problem(runs.start({ ...asked, threadId: 'nix' }), 'nix'),
      );
    }
    expect((await runs.get(ADA, id)).cancelRequested).toBe(false);
  });

  it('accepts a repeated cancel and leaves an ended run unchanged', async () => {
    const worker = processWith([silent]);
    const { id } = await worker.runs.start(request);
    await worker.executor.start();
    await worker.readLog(id);
    const ended = await worker.runs.get(ADA, id);
    expect(await worker.runs.cancel(ADA, id)).toEqual(ended);
    expect(await worker.runs.get(ADA, id)).toEqual(ended);
    await worker.executor.drain(0);

    const pending = await worker.runs.start(request);
    expect(await worker.runs.cancel(ADA, pending.id)).toMatchObject({ cancelRequested: true });
    expect(await worker.runs.cancel(ADA, pending.id)).toMatchObject({ cancelRequested: true });
  });

  it('rejects a run in a busy thread by default', async () => {
    const { storage, executor } = processWith([silent]);
    const agents = new AgentRegistry();
    agents.register(silent);
    const runs = new RunService(storage.runs, executor, storage.wakeups, agents);
    const { threadId } = await runs.start(request);
    await expect(runs.start({ ...request, threadId })).rejects.toMatchObject({ code: 'THREAD_BUSY' });
  });
});
