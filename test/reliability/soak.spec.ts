import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { footprint, type Footprint } from '../../src/testing/footprint.js';
import { between, randomFrom } from '../../src/testing/random.js';
import { FetchReader } from '../../src/testing/readers/fetch.reader.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { nineWords } from '../support/plays.js';
import { until } from '../support/until.js';

/** Runs after the warm-up. `LONG=1`: many more. */
const RUNS = process.env['LONG'] ? 5_000 : 250;

describe('a server that works for a long time', () => {
  const startServer = chatServers();

  it('keeps no handle and no whole run of those that are over', async () => {
    setFlagsFromString('--expose-gc');
    globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction;
    const server = await startServer({
      storage: new SqliteStorage({ directory: ':memory:' }),
      play: nineWords,
    });

    await work(server, 150);
    const before = await atRest(server);
    await work(server, RUNS);
    const after = await atRest(server);

    // A call to the storage or a timer of the moment may be among them; what each run left behind would be hundreds.
    expect(totalOf(after)).toBeLessThan(totalOf(before) + 10);
    expect(server.app.getHttpServer().listenerCount('close')).toBeLessThan(10);
    expect(process.listenerCount('uncaughtException')).toBeLessThan(10);
    // A run that was kept whole would be some ten kilobytes.
    expect((after.heapBytes - before.heapBytes) / RUNS).toBeLessThan(5_000);
  }, 600_000);
});

function totalOf({ resources }: Footprint): number {
  return Object.values(resources).reduce((sum, count) => sum + count, 0);
}

/** So many runs, each with a reader that stays and one that keeps coming back, twenty at a time. */
async function work(server: ChatServer, count: number): Promise<void> {
  const random = randomFrom(count);
  const { signal } = new AbortController();
  let left = count;
  const person = async () => {
    while (left-- > 0) {
      const { runId } = await server.startRun();
      const about = { runId, url: `${server.url}/runs/${runId}/events`, pauseMs: () => 1 };
      const readers = [
        new FetchReader({ ...about, name: 'steady' }),
        new FetchReader({ ...about, name: 'restless', eventsPerConnection: () => between(random, 1, 6) }),
      ];
      await Promise.all(readers.map((reader) => reader.follow(signal)));
    }
  };
  await Promise.all(Array.from({ length: 20 }, person));
}

/** Once nobody reads any more and the connections that clients keep for later are closed. */
async function atRest(server: ChatServer) {
  await until(() => server.streams.size === 0);
  server.http.closeIdleConnections();
  await until(() => !process.getActiveResourcesInfo().includes('TCPSocketWrap'));
  return footprint();
}
