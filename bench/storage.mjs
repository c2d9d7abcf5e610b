// `npm run bench:storage`: durable events per second, hints, claims and reading, on SQLite and on PostgreSQL.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStorage } from '../dist/storage/sqlite/sqlite.storage.js';
import { PostgresStorage } from '../dist/storage/postgres/postgres.storage.js';
import { PostgresServer } from '../dist/testing/cluster/postgres.server.js';

const RUNS = 200;
const EVENTS_PER_BATCH = 8;
const SECONDS = 5;
let ids = 0;
const DELTA = 'word '.repeat(4);

const directory = await mkdtemp(join(tmpdir(), 'bench-storage-'));
const server = await PostgresServer.start();
try {
  const sqlite = new SqliteStorage({ directory });
  await sqlite.open();
  await bench('SQLite (NORMAL)', [sqlite]);
  await sqlite.close();

  const postgres = [0, 1].map(() => new PostgresStorage({ url: server.url }));
  for (const storage of postgres) await storage.open();
  await bench('PostgreSQL, one process', postgres.slice(0, 1));
  await bench('PostgreSQL, two writers', postgres);
  await hints(postgres);
  for (const storage of postgres) await storage.close();
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function bench(name, storages) {
  const [first] = storages;
  const owned = storages.map(() => []);
  for (const runs of owned) for (let index = 0; index < RUNS; index += 1) runs.push(await ownedRun(first));
  const commits = [];
  let events = 0;
  const until = performance.now() + SECONDS * 1000;
  await Promise.all(
    storages.map(async (storage, index) => {
      while (performance.now() < until) {
        const startedAt = performance.now();
        const results = await storage.log.append(owned[index].map((run) => nextBatch(run)));
        if (results.some((result) => result !== 'appended')) throw new Error('A batch was refused.');
        commits.push(performance.now() - startedAt);
        events += results.length * EVENTS_PER_BATCH;
      }
    }),
  );
  print(
    `${name}: durable events/s`,
    `${Math.round(events / SECONDS)}, commits of ${RUNS} runs ${percentiles(commits)}`,
  );

  const single = [];
  for (let index = 0; index < 500; index += 1)
    single.push(await timed(() => first.log.append([nextBatch(owned[0][0])])));
  print(`${name}: one batch alone`, percentiles(single));

  const long = await ownedRun(first);
  for (let index = 0; index < 100; index += 1) await first.log.append([nextBatch(long, 1_000)]);
  const short = await ownedRun(first);
  await first.log.append([nextBatch(short, 100)]);
  const tail = async (run) => {
    const times = [];
    for (let index = 0; index < 200; index += 1)
      times.push(await timed(() => first.log.read(run.id, run.seq - 20, 256)));
    return percentiles(times);
  };
  print(`${name}: the last 20 of 100 events`, await tail(short));
  print(`${name}: the last 20 of 100,000 events`, await tail(long));
  const remove = await timed(() => first.runs.deleteThread(`thread-${long.id}`));
  print(`${name}: removing a run of 100,000 events`, `${remove.toFixed(1)} ms`);
  const ends = storages.flatMap((_, index) => owned[index]);
  for (const run of [...ends, short]) await first.log.append([ending(run)]);
}

async function hints([here, there]) {
  const times = [];
  for (let index = 0; index < 500; index += 1) {
    const topic = `log:r${index}`;
    const { promise, resolve } = Promise.withResolvers();
    there.wakeups.listen(topic, resolve);
    times.push(await timed(() => (here.wakeups.notify(topic), promise)));
  }
  print('PostgreSQL: a hint from one process to another', percentiles(times));

  const claims = [];
  for (let index = 0; index < 200; index += 1) {
    const claimed = new Promise((resolve) => {
      const stop = there.wakeups.listen('pending', () => {
        stop();
        resolve(there.runs.claim({ ownerId: 'bench', leaseMs: 600_000 }));
      });
    });
    const run = newRun();
    await here.runs.create(run);
    claims.push(await timed(() => (here.wakeups.notify('pending'), claimed)));
    const { id, threadId, epoch } = await claimed;
    await here.log.append([ending({ id, threadId, epoch, seq: 0 })]);
  }
  print('PostgreSQL: from hint to a claimed run elsewhere', percentiles(claims));
}

function newRun() {
  const id = `${process.pid}-${(ids += 1)}`;
  const principal = { userId: 'u', tenant: 't', roles: [] };
  const thread = { threadId: `thread-${id}`, threadMustExist: false, whenBusy: 'reject' };
  return { id, ...thread, agent: 'a', principal, message: 'm', metadata: {}, messageId: `m-${id}` };
}

async function ownedRun(storage) {
  await storage.runs.create(newRun());
  const { id, threadId, epoch } = await storage.runs.claim({ ownerId: 'bench', leaseMs: 600_000 });
  return { id, threadId, epoch, seq: 0 };
}

function nextBatch(run, count = EVENTS_PER_BATCH) {
  const afterSeq = run.seq;
  const events = Array.from({ length: count }, () => ({
    runId: run.id,
    threadId: run.threadId,
    epoch: run.epoch,
    seq: (run.seq += 1),
    at: Date.now(),
    event: { type: 'text-delta', partId: 'p1', delta: DELTA },
  }));
  return { runId: run.id, epoch: run.epoch, afterSeq, events };
}

function ending(run) {
  const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  const batch = nextBatch(run, 1);
  const event = { type: 'end', outcome: 'completed', usage, durationMs: 1 };
  return { ...batch, events: [{ ...batch.events[0], event }], ending: { outcome: 'completed', usage } };
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function percentiles(times) {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

function print(what, result) {
  process.stdout.write(`${what.padEnd(58)}${result}\n`);
}
