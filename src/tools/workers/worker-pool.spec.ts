import { describe, expect, it } from '@jest/globals';
import { callContext, SOMEBODY } from '../tool.testing.js';
import { until } from '../../../test/support/until.js';
import { startThread, type PoolWorker } from './pool-worker.js';
import { TaskTimeoutError, WorkerGoneError, WorkerPool, type WorkerPoolOptions } from './worker-pool.js';

type Task = 'echo' | 'spin' | 'exit' | 'fail' | 'spent' | 'fill';

/** Says which thread it is; or does what tasks should not. */
const PROGRAM = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, threadId } from 'node:worker_threads';
    parentPort.on('message', (task) => {
      parentPort.postMessage('begun');
      if (task === 'exit') process.exit(0);
      const kept = [];
      while (task === 'fill') kept.push(new Array(100_000).fill({}));
      while (task === 'spin');
      parentPort.postMessage(task === 'fail' ? { fault: 'It cannot be done.' } : { value: threadId, spent: task === 'spent' });
    });`)}`,
);

/** A pool that counts its threads. */
function countingPool(options: Partial<WorkerPoolOptions> = {}) {
  const alive = { now: 0, most: 0 };
  const start = (): PoolWorker => {
    const thread = startThread(PROGRAM, { name: 'spec', resourceLimits: { maxOldGenerationSizeMb: 32 } });
    alive.now += 1;
    alive.most = Math.max(alive.most, alive.now);
    const end = thread.end;
    let hasEnded = false;
    thread.end = async () => {
      await end();
      if (!hasEnded) alive.now -= 1;
      hasEnded = true;
    };
    return thread;
  };
  return { alive, pool: new WorkerPool<Task, number>({ size: 2, start, ...options }) };
}

const LONG = 60_000;

describe('WorkerPool', () => {
  it('gives a worker its next task when it has finished one', async () => {
    const { pool, alive } = countingPool();
    const first = await pool.run('echo', LONG, callContext());
    expect(await pool.run('echo', LONG, callContext())).toBe(first);
    expect(alive.most).toBe(1);
  });

  it('never has more workers than its size, counting those that are being ended', async () => {
    const { pool, alive } = countingPool({ perPrincipal: 2 });
    const tasks: Task[] = ['spin', 'echo', 'spent', 'exit', 'fail', 'spin', 'echo', 'echo'];
    const outcomes = await Promise.allSettled(tasks.map((task) => pool.run(task, 1_000, callContext())));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(alive.most).toBe(2);
  });

  it('ends a worker that takes too long and continues with another', async () => {
    const { pool } = countingPool({ size: 1 });
    const before = await pool.run('echo', LONG, callContext());
    await expect(pool.run('spin', 20, callContext())).rejects.toBeInstanceOf(TaskTimeoutError);
    expect(await pool.run('echo', LONG, callContext())).not.toBe(before);
  });

  it('keeps the event loop free while all its workers are stuck', async () => {
    const { pool } = countingPool({ size: 1 });
    const stuck = new AbortController();
    const call = pool.run('spin', LONG, callContext({ signal: stuck.signal }));
    // Nothing but this loop can end them.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    stuck.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  it('rejects a waiting call at once when it is cancelled', async () => {
    const { pool } = countingPool({ size: 1 });
    const [stuck, waits] = [new AbortController(), new AbortController()];
    const first = pool.run('spin', LONG, callContext({ signal: stuck.signal }));
    const second = pool.run('echo', LONG, callContext({ signal: waits.signal }));
    waits.abort(new Error('not needed any more'));
    await expect(second).rejects.toThrow('not needed any more');
    stuck.abort(new Error('nor this'));
    await expect(first).rejects.toThrow('nor this');
  });

  it('starts no worker for calls that are cancelled at once', async () => {
    const { pool, alive } = countingPool({ size: 1 });
    const controller = new AbortController();
    const calls = [1, 2, 3].map(() => pool.run('spin', LONG, callContext({ signal: controller.signal })));
    controller.abort(new Error('never mind'));
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    expect(alive.most).toBe(0);
    expect(await pool.run('echo', LONG, callContext())).toEqual(expect.any(Number));
  });

  it("keeps a worker free for other principals when all of one principal's are stuck", async () => {
    const { pool } = countingPool();
    const stuck = new AbortController();
    const hers = Array.from({ length: 3 }, () =>
      pool.run('spin', LONG, callContext({ signal: stuck.signal })),
    );
    const other = { ...SOMEBODY, userId: 'bob' };
    expect(await pool.run('echo', LONG, callContext({ principal: other }))).toEqual(expect.any(Number));
    stuck.abort(new Error('enough'));
    await Promise.allSettled(hers);
  });

  it.each(['exit', 'fill'] as const)('reports that the worker is gone when a task does %s', async (task) => {
    const { pool } = countingPool({ size: 1 });
    await expect(pool.run(task, LONG, callContext())).rejects.toBeInstanceOf(WorkerGoneError);
    expect(await pool.run('echo', LONG, callContext())).toEqual(expect.any(Number));
  });

  it('rejects a call with the error of its task', async () => {
    const { pool } = countingPool();
    await expect(pool.run('fail', LONG, callContext())).rejects.toThrow('It cannot be done.');
  });

  it('replaces a worker that reports itself spent', async () => {
    const { pool } = countingPool({ size: 1 });
    const first = await pool.run('spent', LONG, callContext());
    expect(await pool.run('echo', LONG, callContext())).not.toBe(first);
  });

  it('ends workers that are idle', async () => {
    const { pool, alive } = countingPool({ idleMs: 1 });
    await pool.run('echo', LONG, callContext());
    await until(() => alive.now === 0);
  });
});
