// `BENCH_AGAINST=<another dist> npm run bench -- builds`: what a change costs. Both builds take turns, on SQLite and on PostgreSQL, over
// the loads of `cpu`, `latency` and `fanout` that a chat is made of. Prints its table, and writes none: it is about one change.
//
//   STARTS=1 ROUNDS=1   a short try
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startProductBroadcaster } from './broadcast/broadcasters.mjs';
import { startReaders } from './broadcast/readers.mjs';
import { startLoad } from './support/load.mjs';
import { measure, wake } from './support/measure.mjs';
import { startPostgres } from './support/postgres.mjs';
import { askProduct, DIST, startProduct } from './support/product.mjs';
import { number, ratio, show } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median, percentile } from './support/statistics.mjs';

/** One process is compiled and laid out in memory a little better than another, for all its life. */
const STARTS = Number(process.env.STARTS ?? 4);
/** Rounds of each start. */
const ROUNDS = Number(process.env.ROUNDS ?? 4);
const WARM_UP = { runs: 50, script: { tokens: 200, paceMs: 0 }, repeats: 12 };
const LOADS = [
  { what: '1 run, no delay', runs: 1, script: { tokens: 200, paceMs: 0 }, repeats: 20 },
  { what: '50 runs, no delay', runs: 50, script: { tokens: 200, paceMs: 0 }, repeats: 3 },
  { what: '50 runs, 20 ms', runs: 50, script: { tokens: 50, paceMs: 20 }, repeats: 2 },
];
const READERS = 1_000;
const SPEECH = { bursts: 20, size: 16, everyMs: 20 };

const { BENCH_AGAINST: other } = process.env;
if (!other)
  throw new Error('BENCH_AGAINST names the build to compare with: the dist folder of another checkout.');
const BUILDS = [
  { name: 'new', build: DIST },
  { name: 'old', build: other },
];

await withDirectory(async (directory) => {
  const rows = [];
  for (const storage of ['SQLite', 'PostgreSQL']) rows.push(...(await compareRuns(storage, directory)));
  rows.push(await compareFanout(directory));
  show({
    title: 'Two builds',
    intro:
      'CPU of the server process (µs per token, or per event and reader), delay of the first token (ms). What else the machine does ' +
      'only adds, so a build’s figure is the upper end of its best quarter of rounds; beside their ratio, the median of the rounds’ own. ' +
      `${STARTS} starts of each build, ${ROUNDS} rounds of each start.`,
    tables: [{ columns: ['', 'new', 'old', 'rounds', 'new to old', 'by round'], rows }],
  });
});

async function compareRuns(storage, directory) {
  const samples = LOADS.map(() => []);
  for (let start = 0; start < STARTS; start += 1) {
    const load = await startLoad();
    const servers = [];
    for (const build of BUILDS)
      servers.push(await startBuild(build, storage, join(directory, `${storage}-${start}`, build.name)));
    for (const server of servers) await measure(load, server, WARM_UP);
    for (const [index, { what: _what, ...plan }] of LOADS.entries())
      samples[index].push(...(await takeTurns(servers, (server) => tryToMeasure(load, server, plan))));
    for (const server of servers) await server.stop();
    load.stop();
  }
  return LOADS.flatMap(({ what }, index) => [
    toRow(`${storage}, ${what}: CPU`, samples[index], ({ cpuPerToken }) => cpuPerToken),
    toRow(`${storage}, ${what}: first token`, samples[index], getFirstToken),
  ]);
}

/** Returns a pair for each round: what was measured of the new build, and of the old one. */
async function takeTurns(servers, measureOne) {
  const samples = await interleaved({ variants: servers, rounds: ROUNDS, measure: measureOne });
  const [ours, theirs] = servers.map((server) => samples.get(server));
  return ours.map((sample, round) => [sample, theirs[round]]);
}

/** A build that loses words has no figures of that round: the table counts the rounds that are left. */
async function tryToMeasure(load, server, plan) {
  await wake(load, server);
  try {
    return await measure(load, server, plan);
  } catch (error) {
    process.stderr.write(`${server.name}: ${error.message}\n`);
    return undefined;
  }
}

async function startBuild({ name, build }, storage, directory) {
  await mkdir(directory, { recursive: true });
  const database = storage === 'PostgreSQL' ? await startPostgres() : undefined;
  const env = database ? { DATABASE_URL: database.url } : {};
  const server = await startProduct({ directory, env, build });
  return {
    ...server,
    name,
    ask: (script) => askProduct(server.url, script),
    stop: async () => {
      await server.stop();
      await database?.stop();
    },
  };
}

function getFirstToken({ answers }) {
  return percentile(
    answers.map(({ firstAt, saidFirstAt }) => (firstAt - saidFirstAt) / 1000),
    0.5,
  );
}

async function compareFanout(directory) {
  const samples = [];
  for (let start = 0; start < STARTS; start += 1) {
    const readers = startReaders();
    const servers = [];
    for (const { name, build } of BUILDS) {
      const own = join(directory, `fanout-${start}`, name);
      servers.push(await startProductBroadcaster({ directory: own, build, name }));
    }
    for (const { url, path } of servers) await readers.open(`${url}${path}`, READERS);
    for (const server of servers) await hear(readers, server);
    samples.push(...(await takeTurns(servers, (server) => hear(readers, server))));
    for (const server of servers) await server.stop();
    readers.stop();
  }
  return toRow(`${number(READERS)} readers of one run: CPU`, samples, (micros) => micros);
}

async function hear(readers, server) {
  const url = `${server.url}${server.path}`;
  const events = SPEECH.bursts * SPEECH.size;
  await readers.expect(url, events);
  const before = await server.usage();
  server.speak(SPEECH);
  await readers.heard(url);
  const after = await server.usage();
  return ((after.cpuMs - before.cpuMs) * 1000) / (events * READERS);
}

function toRow(what, samples, getValue) {
  const rounds = samples.filter((pair) => !pair.includes(undefined)).map((pair) => pair.map(getValue));
  if (rounds.length === 0) return [what, '—', '—', '0', '—', '—'];
  const ratios = rounds.map(([ours, theirs]) => ours / theirs);
  const [quick, quickOld] = [0, 1].map((build) =>
    percentile(
      rounds.map((round) => round[build]),
      0.25,
    ),
  );
  return [
    what,
    number(quick, 2),
    number(quickOld, 2),
    String(rounds.length),
    ratio(quick, quickOld),
    ratio(median(ratios), 1),
  ];
}
