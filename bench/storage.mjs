// `npm run bench -- storage`: durable events per second and what they cost, on each storage; and what reading, hints and claims
// take there.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { targetLine } from './support/measure.mjs';
import { PostgresServer } from './support/postgres.mjs';
import { load } from './support/product.mjs';
import { number, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median, percentile } from './support/statistics.mjs';
import { toBatch, ended, newRun } from './store/filling.mjs';

const ROUNDS = 5;
const ROUND_MS = 600;
const RUNS = 200;
const EVENTS_PER_BATCH = 8;
const WORDS = Array.from({ length: EVENTS_PER_BATCH }, () => ({
  type: 'text-delta',
  partId: 'p1',
  delta: 'word word word word ',
}));

/** Load under which the cost is measured: as the group commit of a process offers it, every 10 ms. */
const OFFERED = { eventsPerSecond: 20_000, everyMs: 10 };
const SINGLES = 60;
const HINTS = 200;
const LEASE_MS = 600_000;

const { SqliteStorage } = await load('storage/sqlite/sqlite.storage.js');
const { PostgresStorage } = await load('storage/postgres/postgres.storage.js');

await withDirectory(async (directory) => {
  const server = await PostgresServer.start({ syncs: true });
  try {
    const storages = {
      'SQLite, NORMAL': new SqliteStorage({ directory: `${directory}/normal` }),
      'SQLite, FULL (survives power failures)': new SqliteStorage({
        directory: `${directory}/full`,
        synchronous: 'FULL',
      }),
      PostgreSQL: new PostgresStorage({ url: server.url }),
    };
    const variants = [];
    for (const [label, storage] of Object.entries(storages)) {
      await storage.open();
      variants.push({ label, storage, runs: await ownedRuns(storage, RUNS) });
    }
    const samples = await interleaved({ variants, rounds: ROUNDS, measure });
    const pages = new Map();
    for (const variant of variants) pages.set(variant, await reading(variant.storage));

    const elsewhere = new PostgresStorage({ url: server.url });
    await elsewhere.open();
    for (const { storage, runs } of variants) await storage.log.append(runs.map(ended));
    const between = await hints(storages.PostgreSQL, elsewhere);
    for (const storage of [...Object.values(storages), elsewhere]) await storage.close();
    publish(variants, { samples, pages, between });
  } finally {
    await server.stop();
  }
});

async function measure({ storage, runs }) {
  const most = await flatOut(storage, runs);
  const offered = await atRate(storage, runs);
  const alone = [];
  for (let index = 0; index < SINGLES; index += 1) alone.push(await timed(() => append(storage, [runs[0]])));
  return { ...most, ...offered, alone };
}

/** One commit after the other, each with a batch of every run. */
async function flatOut(storage, runs) {
  const startedAt = performance.now();
  let events = 0;
  while (performance.now() - startedAt < ROUND_MS) events += await append(storage, runs);
  return { most: (events * 1_000) / (performance.now() - startedAt) };
}

/** The CPU of this process, all threads: who makes the events, encodes them, and writes them. */
async function atRate(storage, runs) {
  const { eventsPerSecond, everyMs } = OFFERED;
  const perTick = (eventsPerSecond * everyMs) / 1_000 / EVENTS_PER_BATCH;
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const commits = [];
  const under = [];
  for (let tick = 0; tick * everyMs < ROUND_MS; tick += 1) {
    const some = Array.from({ length: perTick }, (_, index) => runs[(tick * perTick + index) % runs.length]);
    under.push(timed(() => append(storage, some)).then((ms) => commits.push(ms)));
    await sleep(Math.max(0, startedAt + (tick + 1) * everyMs - performance.now()));
  }
  await Promise.all(under);
  const { user, system } = process.cpuUsage(cpu);
  return { cpuShare: (user + system) / 1_000 / (performance.now() - startedAt), commits };
}

async function append(storage, runs) {
  const results = await storage.log.append(runs.map((run) => toBatch(run, WORDS)));
  if (results.some((result) => result !== 'appended')) throw new Error('A batch was refused.');
  return results.length * EVENTS_PER_BATCH;
}

/** The last 20 events of a short and of a very long log. */
async function reading(storage) {
  const [short, long] = await ownedRuns(storage, 2);
  await storage.log.append([
    toBatch(
      short,
      Array.from({ length: 100 }, () => WORDS[0]),
    ),
  ]);
  const thousand = Array.from({ length: 1_000 }, () => WORDS[0]);
  for (let index = 0; index < 100; index += 1) await storage.log.append([toBatch(long, thousand)]);
  const tail = async ({ id, seq }) => {
    const times = [];
    for (let index = 0; index < 100; index += 1)
      times.push(await timed(() => storage.log.read(id, seq - 20, 256)));
    return times;
  };
  const times = { short: await tail(short), long: await tail(long) };
  await storage.log.append([ended(short), ended(long)]);
  return times;
}

async function hints(here, there) {
  const hint = [];
  for (let index = 0; index < HINTS; index += 1) {
    const topic = `log:r${index}`;
    const { promise, resolve } = Promise.withResolvers();
    there.wakeups.listen(topic, resolve);
    hint.push(await timed(() => (here.wakeups.notify(topic), promise)));
  }

  const claim = [];
  for (let index = 0; index < HINTS; index += 1) {
    const claimed = new Promise((resolve) => {
      const stop = there.wakeups.listen('pending', () => {
        stop();
        resolve(there.runs.claim({ ownerId: 'bench', leaseMs: LEASE_MS }));
      });
    });
    await here.runs.create(newRun(`hinted-${index}`));
    claim.push(await timed(() => (here.wakeups.notify('pending'), claimed)));
    const { id, threadId, epoch } = await claimed;
    await here.log.append([ended({ id, threadId, epoch, seq: 0 })]);
  }
  return { hint, claim };
}

async function ownedRuns(storage, count) {
  const owned = [];
  while (owned.length < count) {
    await storage.runs.create(newRun(`owned-${randomUUID()}`));
    const { id, threadId, epoch } = await storage.runs.claim({ ownerId: 'bench', leaseMs: LEASE_MS });
    owned.push({ id, threadId, epoch, seq: 0 });
  }
  return owned;
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function publish(variants, { samples, pages, between }) {
  const middle = (variant, key) => median(samples.get(variant).map((sample) => sample[key]));
  const all = (variant, key) => samples.get(variant).flatMap((sample) => sample[key]);
  const times = (numbers) => `${number(median(numbers), 2)} / ${number(percentile(numbers, 0.99), 2)}`;
  const [sqlite] = variants;
  const rate = number(OFFERED.eventsPerSecond);
  report('storage', {
    title: 'Durable events: throughput and cost of each storage',
    intro:
      `Events are single deltas, ${EVENTS_PER_BATCH} per batch. "Most": commits of ${RUNS} runs, one after the other. CPU is a share of one core for ` +
      `this process with all its threads, at ${rate} events/s with a commit every ${OFFERED.everyMs} ms. Medians of ${ROUNDS} rounds; ` +
      'times are p50 / p99 in ms.',
    tables: [
      {
        caption: 'Writing',
        columns: ['', 'most, events/s', `CPU at ${rate}/s`, 'its commits', 'one batch alone'],
        rows: variants.map((variant) => [
          variant.label,
          number(middle(variant, 'most')),
          `${number(middle(variant, 'cpuShare') * 100)} %`,
          times(all(variant, 'commits')),
          times(all(variant, 'alone')),
        ]),
      },
      {
        caption: 'Reading the last 20 events',
        columns: ['', 'of 100', 'of 100,000'],
        rows: variants.map((variant) => [
          variant.label,
          times(pages.get(variant).short),
          times(pages.get(variant).long),
        ]),
      },
      {
        caption: 'PostgreSQL, from one process to another',
        columns: ['', 'ms'],
        rows: [
          ['a wakeup', times(between.hint)],
          ['from the wakeup to a claimed run', times(between.claim)],
        ],
      },
    ],
    notes: [
      targetLine('SQLite, events/s', middle(sqlite, 'most'), '', { atLeast: OFFERED.eventsPerSecond }),
      targetLine(`SQLite, CPU at ${rate} events/s`, middle(sqlite, 'cpuShare') * 100, ' %', { atMost: 40 }),
    ],
  });
}
