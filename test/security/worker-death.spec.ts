import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { readWholeLog } from '../../src/runs/read-log.js';
import { checkHistory } from '../../src/testing/history/history-checker.js';
import { FetchReader } from '../harness/readers/fetch.reader.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { appServers } from '../support/app.server.js';
import { chatServers } from '../support/chat.server.js';
import { testStorages } from '../support/storages.js';
import { until } from '../support/until.js';

// That a worker died is logged, and not what is tested.
Logger.overrideLogger(false);

const RUNS = 12;
const WORDS = 60;

afterEach(() => void jest.restoreAllMocks());

/** The workers that are sent something from now on; the last of them is the one at work. */
function watchWorkers(): { kill(): Promise<void> } {
  const post = jest.spyOn(Worker.prototype, 'postMessage');
  return {
    kill: async () => {
      const current = () => post.mock.contexts.at(-1) as Worker | undefined;
      // One that has died has no thread any more.
      await until(() => (current()?.threadId ?? -1) > 0, 'a worker is at work');
      const worker = current() as Worker;
      const exited = once(worker, 'exit');
      await worker.terminate();
      await exited;
    },
  };
}

describe('storage worker that dies during runs', () => {
  const start = chatServers();
  const storages = testStorages();

  it('replaces a storage worker that dies, and completes every run without loss for any reader', async () => {
    const storage = await storages.make('sqlite');
    let said = 0;
    const server = await start({
      storage,
      play: async (_input, context) => {
        for (const event of createAnswer(
          context,
          Array.from({ length: WORDS }, (_, index) => `word${index} `),
        )) {
          said += 1;
          await context.emit(event);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      },
    });
    const workers = watchWorkers();
    const runs = await Promise.all(Array.from({ length: RUNS }, () => server.startRun()));
    const leaving = new AbortController();
    const readers = runs.map(({ runId }) =>
      ['one', 'other'].map(
        (name) => new FetchReader({ name, runId, url: `${server.url}/runs/${runId}/events` }),
      ),
    );
    const following = Promise.all(readers.flat().map((reader) => reader.follow(leaving.signal)));
    for (const share of [0.2, 0.5, 0.8]) {
      await until(() => said > RUNS * WORDS * share);
      await workers.kill();
      // A call is made again once, and this is not about calls that die with two workers. Each lane answers in order: when
      // these are settled, so is everything that was made again.
      const { runId } = runs[0] as { runId: string };
      await Promise.all([storage.check(), storage.runs.get(runId), storage.log.readPage(runId, 0, 1)]);
    }
    await following;

    for (const [index, { runId }] of runs.entries()) {
      const log = await readWholeLog(storage.log, runId);
      const seen = readers[index]?.map(({ stream }) => stream.toReader()) ?? [];
      expect(checkHistory({ runId, log, readers: seen })).toEqual([]);
      // What the dead worker had was made again: nobody else had to take the run over.
      expect(new Set(log.map(({ epoch }) => epoch)).size).toBe(1);
      expect(log.at(-1)?.event).toMatchObject({ type: 'end', outcome: 'completed' });
    }
  });
});

describe('storage that cannot be restarted', () => {
  const start = appServers();

  it('answers 503 to health checks and requests when the storage worker cannot be restarted', async () => {
    const { origin } = await start();
    const live = async () => (await fetch(`${origin}/health/live`)).status;
    const workers = watchWorkers();
    for (let deaths = 0; deaths <= 5; deaths += 1) {
      expect(await live()).toBe(200);
      // The next worker has to be up before it can be the one that dies.
      while ((await fetch(`${origin}/health/ready`)).status !== 200);
      await workers.kill();
    }
    expect(await live()).toBe(503);
    expect((await fetch(`${origin}/health/ready`)).status).toBe(503);
    const refused = await fetch(`${origin}/api/chat/threads`);
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'STORAGE_FAILED' }]);
  });
});
