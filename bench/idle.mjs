// `npm run bench -- idle`: what a stream costs that waits, ours beside our peers.
import { setTimeout as sleep } from 'node:timers/promises';
import { BROADCASTERS, startBroadcaster } from './broadcast/broadcasters.mjs';
import { startReaders } from './broadcast/readers.mjs';
import { targetLine } from './support/measure.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median } from './support/statistics.mjs';

/** Each on a fresh server: what a process has held once, it does not all give back. */
const ROUNDS = 5;
const STREAMS = 5_000;
/** Opened and closed again first, so that compiled code and first buffers do not count as streams. */
const WARM_UP = 500;
const IDLE_MS = 1_000;

let servers = 0;
await withDirectory(async (directory) => {
  const readers = startReaders();
  const samples = await interleaved({
    variants: BROADCASTERS,
    rounds: ROUNDS,
    measure: async (name) => {
      servers += 1;
      const server = await startBroadcaster(name, `${directory}/${servers}`);
      try {
        return await measure(server, readers);
      } finally {
        await server.stop();
      }
    },
  });
  readers.stop();
  publish(samples);
});

async function measure(server, readers) {
  const url = `${server.url}${server.path}`;
  await readers.open(url, WARM_UP);
  await readers.keep(url, 0);
  const empty = await settled(server);
  await readers.open(url, STREAMS);
  const full = await settled(server);

  const before = await server.usage();
  const startedAt = performance.now();
  await sleep(IDLE_MS);
  const after = await server.usage();
  const idleMs = performance.now() - startedAt;
  await readers.keep(url, 0);
  return {
    label: server.label,
    rss: (full.rss - empty.rss) / STREAMS / 1024,
    heap: (full.heapUsed - empty.heapUsed) / STREAMS / 1024,
    idleShare: (after.cpuMs - before.cpuMs) / idleMs,
  };
}

/** After some collections: what a finalizer lets go of in one is only free in the next. */
async function settled(server) {
  for (let times = 0; times < 3; times += 1) await server.usage({ collect: true });
  return server.usage({ collect: true });
}

function publish(samples) {
  const value = (name, key) => median(samples.get(name).map((sample) => sample[key]));
  const raw = { rss: value('raw', 'rss'), heap: value('raw', 'heap') };
  report('idle', {
    title: `Idle streams: memory and CPU of ${number(STREAMS)}`,
    intro:
      `Each of the ${number(STREAMS)} readers has received its first frame, and then nothing is sent. Memory after garbage collections, minus that of the ` +
      `same process after its first ${WARM_UP} readers had left. Medians of ${ROUNDS} new servers each. CPU is a share of one core, ` +
      'including heartbeats.',
    tables: [
      {
        columns: ['', 'RSS KiB each', 'to raw', 'JS heap KiB each', 'to raw', 'idle CPU %'],
        rows: BROADCASTERS.map((name) => [
          samples.get(name)[0].label,
          number(value(name, 'rss'), 1),
          ratio(value(name, 'rss'), raw.rss),
          number(value(name, 'heap'), 1),
          ratio(value(name, 'heap'), raw.heap),
          number(value(name, 'idleShare') * 100, 1),
        ]),
      },
    ],
    notes: [
      targetLine('RSS of an idle stream, to raw', value('ours', 'rss') / raw.rss, '×', { atMost: 1.5 }),
    ],
  });
}
