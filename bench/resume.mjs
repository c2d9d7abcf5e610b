// `npm run bench -- resume`: how long a reader waits that comes back after a thousand, or ten thousand, events.
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { targetLine } from './support/measure.mjs';
import { load, startProduct } from './support/product.mjs';
import { number, report } from './support/report.mjs';
import { startServer, withDirectory } from './support/server.process.mjs';
import { median, percentile } from './support/statistics.mjs';
import { fill } from './store/filling.mjs';

/** A round is short, so that what the machine does beside us spoils some rounds and not the median of them. */
const ROUNDS = 7;
const NEAR = { behind: 1_000, perRound: 60, events: 1_200 };
const FAR = { behind: 10_000, perRound: 6, events: 10_200 };
const TOGETHER = 50;
/** Starts of a server that has never served anything. */
const STARTS = 5;
const RAW = fileURLToPath(new URL('./store/replay.server.mjs', import.meta.url));
const MARK_BYTE = '^'.charCodeAt(0);
const TARGET = { atMost: 20 };

const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity });

await withDirectory(async (directory) => {
  const { near, far } = await prepare(directory);
  const first = [];
  for (let start = 0; start < STARTS; start += 1) {
    const server = await startProduct({ directory });
    first.push([await resume(server, near[start], NEAR.behind)]);
    await server.stop();
  }

  const server = await startProduct({ directory });
  const raw = await startServer({ name: 'raw', entry: RAW });
  for (const run of near.slice(0, NEAR.perRound)) await resume(raw, run, NEAR.behind);
  for (const run of near.splice(0, NEAR.perRound)) await resume(server, run, NEAR.behind);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [few, many] = [near.splice(0, NEAR.perRound), far.splice(0, FAR.perRound)];
    rounds.push({
      raw: await oneByOne(raw, few, NEAR.behind),
      nearCold: await oneByOne(server, few, NEAR.behind),
      nearWarm: await oneByOne(server, few, NEAR.behind),
      farCold: await oneByOne(server, many, FAR.behind),
      farWarm: await oneByOne(server, many, FAR.behind),
      together: await Promise.all(few.slice(0, TOGETHER).map((run) => resume(server, run, NEAR.behind))),
    });
  }
  await server.stop();
  await raw.stop();
  publish(first, rounds);
});

/** Logs of ended runs on disk. */
async function prepare(directory) {
  const { SqliteStorage } = await load('storage/sqlite/sqlite.storage.js');
  const storage = new SqliteStorage({ directory });
  await storage.open();
  const near = await fill(storage, {
    runs: NEAR.perRound * (ROUNDS + 1),
    events: NEAR.events,
    prefix: 'near',
  });
  const far = await fill(storage, { runs: FAR.perRound * ROUNDS, events: FAR.events, prefix: 'far' });
  await storage.close();
  return { near, far };
}

async function oneByOne(server, runs, behind) {
  const times = [];
  for (const run of runs) times.push(await resume(server, run, behind));
  return times;
}

/** Milliseconds from the request to the first byte, to the first of the missed events, and to the last. */
function resume(server, { id, epoch, lastSeq }, behind) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = { 'last-event-id': `${id}.${epoch.toString(36)}.${lastSeq - behind}` };
    const call = request(`${server.url}/api/chat/runs/${id}/events`, { agent, headers }, (response) => {
      const times = { firstByte: 0, firstEvent: 0, all: 0 };
      let words = 0;
      response.on('data', (bytes) => {
        const now = performance.now() - startedAt;
        times.firstByte ||= now;
        for (let at = bytes.indexOf(MARK_BYTE); at !== -1; at = bytes.indexOf(MARK_BYTE, at + 1)) words += 1;
        if (words > 0) times.firstEvent ||= now;
      });
      response.on('end', () => {
        // The last of them is the end of the run.
        if (words !== behind - 1)
          reject(new Error(`${words} of ${behind - 1} words (${response.statusCode}).`));
        else resolve({ ...times, all: performance.now() - startedAt });
      });
      response.on('error', reject);
    });
    call.on('error', reject).end();
  });
}

function publish(first, rounds) {
  const { behind: near } = NEAR;
  const { behind: far } = FAR;
  const kinds = [
    [`the first request of a process, −${number(near)}`, first],
    [`−${number(near)}, never read before`, rounds.map(({ nearCold }) => nearCold)],
    [`−${number(near)}, again`, rounds.map(({ nearWarm }) => nearWarm)],
    [`−${number(far)}, never read before`, rounds.map(({ farCold }) => farCold)],
    [`−${number(far)}, again`, rounds.map(({ farWarm }) => farWarm)],
    [`${number(near)} events from memory, raw node:http`, rounds.map(({ raw }) => raw)],
    [`−${number(near)}, ${TOGETHER} at once`, rounds.map(({ together }) => together)],
  ];
  const [, [, cold], [, warm]] = kinds;
  report('resume', {
    title: 'Resume: milliseconds for a reader that reconnects',
    intro:
      'A `GET` with `Last-Event-ID` for the log of a run on disk (SQLite): time to the first byte, to the first missed event, ' +
      `and to the last. −${number(near)} means ${number(near)} missed events. "Never read before": not by this process. Medians of ${ROUNDS} rounds, for p50 and ` +
      `for p99. A round has ${NEAR.perRound} readers at −${number(near)} and ${FAR.perRound} at −${number(far)}, one after the ` +
      `other. The first request of a process: ${STARTS} starts.`,
    tables: [
      {
        columns: ['', 'first byte p50', 'p99', 'first event p50', 'p99', 'all p50', 'p99'],
        rows: kinds.map(([label, times]) => [
          label,
          ...['firstByte', 'firstEvent', 'all'].flatMap((key) =>
            [0.5, 0.99].map((share) => number(overRounds(times, key, share), 1)),
          ),
        ]),
      },
    ],
    notes: [
      targetLine(
        `First byte p99 at −${number(near)}, never read before`,
        overRounds(cold, 'firstByte', 0.99),
        ' ms',
        TARGET,
      ),
      targetLine(
        `First byte p99 at −${number(near)}, again`,
        overRounds(warm, 'firstByte', 0.99),
        ' ms',
        TARGET,
      ),
    ],
  });
}

function overRounds(rounds, key, share) {
  return median(
    rounds.map((times) =>
      percentile(
        times.map((time) => time[key]),
        share,
      ),
    ),
  );
}
