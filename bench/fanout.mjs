// `npm run bench -- fanout`: what it costs to tell one event to one of many readers of the same run, ours beside our peers.
import { BROADCASTERS, startBroadcaster } from './broadcast/broadcasters.mjs';
import { startReaders } from './broadcast/readers.mjs';
import { targetLine } from './support/measure.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median } from './support/statistics.mjs';

const ROUNDS = 5;
/** From many to few: readers leave, none comes, so that nobody has to be told what was said before. */
const PLANS = [
  {
    readers: 2_000,
    single: { bursts: 6, size: 1, everyMs: 40 },
    burst: { bursts: 2, size: 16, everyMs: 40 },
  },
  { readers: 100, single: { bursts: 40, size: 1, everyMs: 3 }, burst: { bursts: 20, size: 16, everyMs: 6 } },
  { readers: 1, single: { bursts: 100, size: 1, everyMs: 2 }, burst: { bursts: 50, size: 16, everyMs: 3 } },
];
const TARGET = { atMost: 1 };

await withDirectory(async (directory) => {
  const readers = startReaders();
  const servers = [];
  for (const name of BROADCASTERS) servers.push(await startBroadcaster(name, directory));
  for (const { url, path } of servers) await readers.open(`${url}${path}`, PLANS[0].readers);

  const results = [];
  for (const { readers: count, ...speeches } of PLANS) {
    for (const { url, path } of servers) await readers.keep(`${url}${path}`, count);
    const result = { count };
    for (const [kind, speech] of Object.entries(speeches)) {
      for (const server of servers) await measure(readers, server, count, speech);
      result[kind] = await interleaved({
        variants: servers,
        rounds: ROUNDS,
        measure: (server) => measure(readers, server, count, speech),
      });
    }
    results.push(result);
  }
  for (const server of servers) await server.stop();
  readers.stop();
  publish(servers, results);
});

async function measure(readers, server, count, speech) {
  const url = `${server.url}${server.path}`;
  const events = speech.bursts * speech.size;
  await readers.expect(url, events);
  const before = await server.usage();
  server.speak(speech);
  const { cpuShare } = await readers.heard(url);
  const after = await server.usage();
  return { micros: ((after.cpuMs - before.cpuMs) * 1000) / (events * count), readerShare: cpuShare };
}

function publish(servers, results) {
  const [ours, raw] = servers;
  const cost = (samples, server) => median(samples.get(server).map(({ micros }) => micros));
  const cells = (samples, server) => [
    number(cost(samples, server), 1),
    ratio(cost(samples, server), cost(samples, raw)),
  ];
  const shares = results.flatMap(({ single, burst }) =>
    [...single.values(), ...burst.values()].flat().map(({ readerShare }) => readerShare),
  );
  const many = results[0];
  report('fanout', {
    title: 'One run, many readers: CPU per event and reader',
    intro:
      'All readers receive the same events of about 150 bytes: one per turn of the event loop, or 16 in the same turn. CPU of the ' +
      'whole server process, µs per event and reader, and its ratio to raw. Ours includes the agent, the durable log and the ' +
      'resumable stream; the others only broadcast.',
    tables: results.map(({ count, single, burst }) => ({
      caption: `${number(count)} ${count === 1 ? 'reader' : 'readers'}`,
      columns: ['', '1 per turn', 'to raw', '16 per turn', 'to raw'],
      rows: servers.map((server) => [server.label, ...cells(single, server), ...cells(burst, server)]),
    })),
    notes: [
      targetLine(
        '2,000 readers, 16 per turn, to raw',
        cost(many.burst, ours) / cost(many.burst, raw),
        '×',
        TARGET,
      ),
      targetLine(
        '2,000 readers, 1 per turn, to raw',
        cost(many.single, ours) / cost(many.single, raw),
        '×',
        TARGET,
      ),
      'With one event per turn there is nothing to batch. Our write costs as much as a raw one. The rest is the cost of a separate cursor per ' +
        'reader, which makes the stream resumable.',
      'The figures with one reader show the cost of an event before it is sent: the graph, the log and its commit.',
      `The readers' process used at most ${number(Math.max(...shares) * 100)} % of a core.`,
    ],
  });
}
