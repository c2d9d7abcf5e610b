// `npm run build && node bench/retention.mjs [runs]`: what making room costs on PostgreSQL, and what it does to who appends meanwhile.
// Not one of `npm run bench`: by default it fills 20,000 runs of 100 commits, which takes ten minutes and four gigabytes of disk.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, types } from 'pg';
import { PostgresServer } from './support/postgres.mjs';
import { load } from './support/product.mjs';

const { compactLog } = await load('events/compact-log.js');
const { PostgresStorage } = await load('storage/postgres/postgres.storage.js');

const RUNS = Number(process.argv[2] ?? 20_000);
const BATCHES_PER_RUN = 100;
const EVENTS_PER_BATCH = 8;
const SEQS = BATCHES_PER_RUN * EVENTS_PER_BATCH;
/** Runs at work meanwhile, and how often all of them append. */
const WRITERS = 50;
const PACE_MS = 100;
const S = 'agent_stream';

const server = await PostgresServer.start({ syncs: true });
const storage = new PostgresStorage({ url: server.url });
try {
  await storage.open();
  await fill();
  const writers = await ownedRuns();
  await report('filled');
  print('appends, nothing else going on', await appendsWhile(writers, () => sleep(20_000)));
  for (const { what, work } of [
    { what: 'compacting', work: compactAll },
    { what: 'vacuum after compacting', work: vacuum },
    { what: 'removing threads', work: removeAll },
    { what: 'vacuum after removing', work: vacuum },
  ]) {
    const before = await writtenBytes();
    const startedAt = performance.now();
    const appends = await appendsWhile(writers, work);
    const seconds = (performance.now() - startedAt) / 1000;
    const perRun = `${((seconds * 1000) / RUNS).toFixed(2)} ms a run`;
    print(
      what,
      `${seconds.toFixed(1)} s, ${perRun}, WAL ${mib((await writtenBytes()) - before)}, appends ${appends}`,
    );
    await report(`after ${what}`);
  }
  await fill();
  await report('filled again');
} finally {
  await storage.close();
  await server.stop();
}

/** Runs that ended long ago, as they lie there: one row per commit. */
async function fill() {
  const [{ first }] = await query(`SELECT coalesce(max(ordinal), 0)::int AS first FROM ${S}.runs`);
  await query(`
    INSERT INTO ${S}.threads (id, tenant, user_id, title, created_at, updated_at)
    SELECT 'old-thread-' || n, 'acme', 'user-' || n % 100, '"Old"', 1, n
    FROM generate_series(${first + 1}, ${first + RUNS}) AS n`);
  await query(`
    INSERT INTO ${S}.runs (id, thread_id, agent, tenant, user_id, roles, message_id, status, epoch, lease_until, lease_ms,
      first_seq, last_seq, cancel_requested, created_at, started_at, ended_at, usage, metadata, message, log_bytes)
    SELECT 'old-' || n, 'old-thread-' || n, 'a', 'acme', 'user-' || n % 100, '[]', 'm' || n, 'completed', 1, 0, 4000,
      1, ${SEQS}, false, 1, 1, 1, '{}', '{}', '"Hello"', ${BATCHES_PER_RUN} * 664
    FROM generate_series(${first + 1}, ${first + RUNS}) AS n`);
  // Batch after batch and not run after run, as they come in when many runs are at work at a time.
  await query(`
    INSERT INTO ${S}.batches (run, first_seq, last_seq, epoch, frames)
    SELECT ordinal, b * ${EVENTS_PER_BATCH} + 1, (b + 1) * ${EVENTS_PER_BATCH}, 1, frames
    FROM generate_series(0, ${BATCHES_PER_RUN - 1}) AS b
    CROSS JOIN (SELECT ordinal FROM ${S}.runs WHERE id LIKE 'old-%' AND NOT compacted ORDER BY ordinal DESC LIMIT ${RUNS}) AS run
    CROSS JOIN (SELECT string_agg(
      '[1800000000000,{"type":"text-delta","partId":"p1-1","delta":"word word word word "}]', E'\\n') AS frames
      FROM generate_series(1, ${EVENTS_PER_BATCH})) AS words
    ORDER BY ordinal / 100, b, ordinal`);
  await query(`ANALYZE ${S}.batches, ${S}.runs, ${S}.threads`);
}

async function compactAll() {
  const { retention, log } = storage;
  for (;;) {
    const ids = await retention.listUncompacted({ endedBefore: Date.now(), limit: 100 });
    if (ids.length === 0) return;
    for (const id of ids) {
      const result = await retention.compact(id, compactLog(await log.read(id, 0, SEQS)));
      if (result !== 'compacted') throw new Error('A log was not compacted.');
    }
  }
}

async function removeAll() {
  const { retention } = storage;
  while ((await retention.deleteIdleThreads({ unchangedSince: 1_000_000_000, limit: 1 })).length > 0);
}

async function vacuum() {
  await query(`VACUUM ${S}.batches, ${S}.runs, ${S}.threads`);
}

async function ownedRuns() {
  const runs = [];
  for (let index = 0; index < WRITERS; index += 1) {
    const principal = { userId: 'u', tenant: 't', roles: [] };
    await storage.runs.create({
      id: `live-${index}`,
      threadId: `live-thread-${index}`,
      thread: 'any',
      whenBusy: 'reject',
      whenAwaiting: 'reject',
      agent: 'a',
      principal,
      message: 'm',
      metadata: {},
      messageId: `live-m-${index}`,
    });
    const { id, threadId, epoch } = await storage.runs.claim({ ownerId: 'bench', leaseMs: 3_600_000 });
    runs.push({ id, threadId, epoch, seq: 0 });
  }
  return runs;
}

/** All writers append at their pace for as long as the work takes. */
async function appendsWhile(writers, work) {
  const times = [];
  const done = new AbortController();
  const working = work().finally(() => done.abort());
  while (!done.signal.aborted) {
    const startedAt = performance.now();
    const results = await storage.log.append(writers.map(nextBatch));
    if (results.some((result) => result !== 'appended')) throw new Error('A batch was refused.');
    times.push(performance.now() - startedAt);
    await sleep(Math.max(0, PACE_MS - (performance.now() - startedAt)));
  }
  await working;
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}

function nextBatch(run) {
  const afterSeq = run.seq;
  const { id: runId, threadId, epoch } = run;
  const events = Array.from({ length: EVENTS_PER_BATCH }, () => ({
    runId,
    threadId,
    epoch,
    seq: (run.seq += 1),
    at: Date.now(),
    event: { type: 'text-delta', partId: 'p1-1', delta: 'word word word word ' },
  }));
  return { runId, epoch, afterSeq, events };
}

async function report(when) {
  const [row] = await query(`
    SELECT n_live_tup AS live, n_dead_tup AS dead, pg_table_size(relid) AS heap, pg_indexes_size(relid) AS indexes
    FROM pg_stat_user_tables WHERE schemaname = '${S}' AND relname = 'batches'`);
  const { live, dead, heap, indexes } = row;
  const millions = (rows) => `${(rows / 1e6).toFixed(2)} million`;
  print(
    `  ${when}`,
    `${millions(live)} rows, ${millions(dead)} dead, table ${mib(heap)}, index ${mib(indexes)}`,
  );
}

async function writtenBytes() {
  const [{ bytes }] = await query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS bytes");
  return bytes;
}

/** Without the limit of time that the storage's own statements have. */
async function query(text) {
  const client = new Client({
    connectionString: server.url,
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
    },
  });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function mib(bytes) {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function print(what, result) {
  process.stdout.write(`${what.padEnd(36)}${result}\n`);
}
