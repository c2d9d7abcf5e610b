import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AgentContext } from '../../src/agents/agent.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { FaultProxy, type ConnectionFaults } from '../../src/testing/fault.proxy.js';
import { checkHistory } from '../../src/testing/history/history-checker.js';
import type { Anomaly } from '../../src/testing/history/history.js';
import { between, randomFrom, type Random } from '../../src/testing/random.js';
import { FetchReader } from '../harness/readers/fetch.reader.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServer } from '../support/chat.server.js';
import { until } from '../support/until.js';

/** `LONG=1` takes the times that docs/guarantees.md names; the short ones are a quarter of them. */
const SCALE = process.env['LONG'] ? 1 : 0.25;

describe('readers behind a failing network', () => {
  const proxies: FaultProxy[] = [];
  let leaving = new AbortController();

  // Before the servers: else readers would come back through a proxy to nothing, also after a test that failed.
  afterEach(async () => {
    leaving.abort();
    leaving = new AbortController();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });

  const startServer = chatServers();

  async function proxyTo(
    server: ChatServer,
    faults?: (connection: number, random: Random) => ConnectionFaults,
  ) {
    const network = { up: true };
    const proxy = await FaultProxy.listen({
      target: () => (network.up ? server.port : undefined),
      ...(faults && { faults }),
    });
    proxies.push(proxy);
    return { proxy, network };
  }

  function startReaders(run: { runId: string }, count: number, proxy: FaultProxy, pauseMs: () => number) {
    const url = `${proxy.origin}/api/chat/runs/${run.runId}/events`;
    return Array.from(
      { length: count },
      (_, index) =>
        new FetchReader({ name: `reader-${index}`, runId: run.runId, url, pauseMs, silenceMs: 2_000 }),
    );
  }

  it('delivers every event once through repeated drops of all connections', async () => {
    const [lastMs, upMs, downMs] = [60_000 * SCALE, 2_000 * SCALE, 2_000 * SCALE];
    const storage = new SqliteStorage({ directory: ':memory:' });
    const server = await startServer({
      storage,
      play: (_, context) => talk(context, lastMs),
      heartbeatMs: 500,
    });
    const { proxy, network } = await proxyTo(server);
    const runs = await Promise.all(Array.from({ length: 20 }, () => server.startRun()));
    const random = randomFrom(1);
    const readers = runs.map((run) => startReaders(run, 10, proxy, () => between(random, 10, 200)));
    const following = Promise.all(readers.flat().map((reader) => reader.follow(leaving.signal)));

    for (const until = Date.now() + lastMs; Date.now() < until;) {
      network.up = true;
      await sleep(upMs);
      network.up = false;
      proxy.drop(random() < 0.5 ? 'cut' : 'reset');
      await sleep(downMs);
    }
    network.up = true;
    await following;

    expect(await findAnomalies(server, runs, readers)).toEqual([]);
    // That it was as rough as it says. On a busy machine one reader may sleep through a drop.
    const connections = readers.flat().map(({ stream }) => stream.toReader().connections.length);
    expect(Math.min(...connections)).toBeGreaterThan(1);
    expect(connections.reduce((sum, count) => sum + count, 0) / connections.length).toBeGreaterThan(2);
  });

  it('delivers every event once through torn frames, single bytes, jitter, silence and idle cuts', async () => {
    const storage = new SqliteStorage({ directory: ':memory:' });
    const server = await startServer({
      storage,
      play: (_, context) => talk(context, 3_000),
      heartbeatMs: 500,
    });
    const kinds: ((random: Random) => ConnectionFaults)[] = [
      (random) => ({ resetAfterBytes: between(random, 300, 3_000) }),
      (random) => ({ chunkBytes: 1, resetAfterBytes: between(random, 300, 2_000) }),
      (random) => ({ delayMs: 20, jitterMs: 80, cutAfterMs: between(random, 200, 1_500) }),
      (random) => ({ silentAfterMs: between(random, 50, 500) }),
      () => ({ idleCutMs: 100 }),
      (random) => ({ cutAfterMs: between(random, 0, 400) }),
    ];
    const { proxy } = await proxyTo(server, (connection, random) =>
      kinds[connection % kinds.length]!(random),
    );
    const runs = await Promise.all(Array.from({ length: 6 }, () => server.startRun()));
    const random = randomFrom(2);
    const readers = runs.map((run) => startReaders(run, 5, proxy, () => between(random, 10, 100)));
    await Promise.all(readers.flat().map((reader) => reader.follow(leaving.signal)));
    expect(await findAnomalies(server, runs, readers)).toEqual([]);
  });

  it('admits 500 readers that reconnect at the same moment, and delivers every event once', async () => {
    const rest = gate();
    const server = await startServer({
      play: async (_, context) => {
        for (const event of createAnswer(context, ['before ', 'the ', 'storm'], '1'))
          void context.emit(event);
        await rest.opened;
        for (const event of createAnswer(context, ['after ', 'it'], '2')) void context.emit(event);
      },
    });
    const { proxy } = await proxyTo(server);
    const run = await server.startRun();
    const readers = startReaders(run, 500, proxy, () => 0);
    const following = Promise.all(readers.map((reader) => reader.follow(leaving.signal)));
    await until(() => readers.every(({ stream }) => stream.events > 0));

    proxy.drop('reset');
    await until(() => proxy.connections >= 1_000 && server.streams.size >= 500);
    rest.open();
    await following;

    expect(readers.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(await findAnomalies(server, [run], [readers])).toEqual([]);
  });
});

/** A word every twenty milliseconds or so, for that long. */
async function talk(context: AgentContext, forMs: number): Promise<void> {
  const words = Math.round(forMs / 20);
  const events = createAnswer(
    context,
    Array.from({ length: words }, (_, index) => `${index} `),
  );
  for (const event of events) {
    await context.emit(event);
    await sleep(20);
  }
}

async function findAnomalies(
  { storage }: ChatServer,
  runs: readonly { readonly runId: string }[],
  readers: readonly (readonly FetchReader[])[],
): Promise<Anomaly[]> {
  const found = runs.map(async ({ runId }, index) => {
    const log = await storage.log.read(runId, 0, 1_000_000);
    return checkHistory({
      runId,
      log,
      readers: (readers[index] ?? []).map(({ stream }) => stream.toReader()),
      // Here the network is broken all the time.
      outages: [{ from: 0, to: Infinity }],
    });
  });
  return (await Promise.all(found)).flat();
}
