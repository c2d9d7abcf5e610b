// `npm run bench -- run-lists`: lists of runs by time, cost and duration among a million.
//
//   RUNS=1000000   runs in the store   STORAGES=sqlite,postgres   BENCH_DIST, BENCH_README   as in the other benchmarks
//
// The runs are spread over a year, 100 tenants and 5,000 users. Nine of ten cost little; costs and durations have nothing to do with time, but
// for the last list, in which this week's runs are the cheapest of all.
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { startPostgres } from './support/postgres.mjs';
import { load } from './support/product.mjs';
import { number, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { median } from './support/statistics.mjs';

const RUNS = Number(process.env.RUNS ?? 1_000_000);
const USERS = 5_000;
const TENANTS = 100;
const YEAR_MS = 365 * 86_400_000;
const WEEK_MS = 7 * 86_400_000;
const ROUNDS = 7;
const ENDED_RUNS = 500;
const NOW = Date.now();

/** Columns of the runs that both databases are filled with, as expressions of `n`, from 0. */
const HASH = '((n * 7919 + 104729) % 1000003)';
const COST = `(CASE WHEN ${HASH} % 10 = 0 THEN ${HASH} * 3 ELSE ${HASH} / 100 END + 100000)`;
const CREATED = `(${NOW - YEAR_MS} + n * ${Math.floor(YEAR_MS / RUNS)})`;
const COLUMNS = {
  id: "'r' || n",
  thread_id: `'t' || (n % ${USERS})`,
  agent: "CASE WHEN n % 3 = 0 THEN 'writer' ELSE 'assistant' END",
  tenant: `'tenant-' || (n % ${TENANTS})`,
  user_id: `'user-' || (n % ${USERS})`,
  roles: "'[]'",
  message_id: "'m' || n",
  status: "CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END",
  epoch: '1',
  lease_until: '0',
  first_seq: '1',
  created_at: CREATED,
  started_at: CREATED,
  ended_at: `(${CREATED} + ${HASH} % 60000)`,
  usage: `'{"inputTokens":10,"outputTokens":5,"totalTokens":15,"costMicros":' || ${COST} || '}'`,
  metadata: "'{}'",
};

const QUERIES = [
  { what: 'everybody, the newest', filter: {} },
  { what: 'everybody, this week, the dearest', filter: { first: 'dearest', since: NOW - WEEK_MS } },
  { what: 'everybody, this week, the longest', filter: { first: 'longest', since: NOW - WEEK_MS } },
  {
    what: 'a tenant, this week, the dearest',
    filter: { first: 'dearest', since: NOW - WEEK_MS, tenant: 'tenant-7' },
  },
  {
    what: 'a user, this week, the dearest',
    filter: { first: 'dearest', since: NOW - WEEK_MS, tenant: 'tenant-7', userId: 'user-7' },
  },
];
const WORST = {
  what: 'everybody, the dearest of a week whose runs are the cheapest of the year',
  filter: QUERIES[1].filter,
};

const FIGURE_INDEXES = ['cost', 'duration'].flatMap((figure) =>
  ['runs_by', 'runs_of_tenant_by', 'runs_of_owner_by'].map((begin) => `${begin}_${figure}`),
);

const rows = [];
const notes = [];
for (const name of (process.env.STORAGES ?? 'sqlite,postgres').split(',')) await measure(name);
report('run-lists', {
  title: `Lists among ${number(RUNS)} runs`,
  intro:
    `Lists of 20 runs, each read page by page until it is full or at its end. Medians of ${ROUNDS} readings; the last row is read once. A page looks at 2,000 runs at most, so a list never blocks the storage for long. ` +
    'The store has the runs of one year, from 5,000 users in 100 tenants, and no other load.',
  tables: [{ columns: ['', 'storage', 'pages', 'ms', 'longest page, ms'], rows }],
  notes,
});

async function measure(name) {
  await withDirectory(async (directory) => {
    const store = name === 'sqlite' ? await openSqlite(directory) : await openPostgres();
    const { storage } = store;
    for (const { what, filter } of QUERIES) {
      rows.push([what, name, ...(await readLists(storage, filter))]);
      process.stdout.write(`${rows.at(-1).join(' · ')}\n`);
    }
    const withIndexes = await endRuns(storage, 'with');
    await store.cheapenWeek();
    rows.push([WORST.what, name, ...(await readLists(storage, WORST.filter, 1))]);
    process.stdout.write(`${rows.at(-1).join(' · ')}\n`);
    const bytes = await store.dropIndexes();
    const without = await endRuns(storage, 'without');
    notes.push(
      `${name}: the six indexes take ${number(bytes / RUNS)} bytes a run. To store and end a run takes ${number(withIndexes, 2)} ms with them, ${number(without, 2)} ms without.`,
    );
    await store.close();
  });
}

async function readLists(storage, filter, rounds = ROUNDS) {
  const samples = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await readList(storage, filter));
  const { pages } = samples[0];
  const middle = (key) => number(median(samples.map((sample) => sample[key])), 1);
  return [number(pages), middle('ms'), middle('longestMs')];
}

async function readList(storage, filter) {
  const sample = { pages: 0, ms: 0, longestMs: 0 };
  let found = 0;
  let cursor;
  do {
    const startedAt = performance.now();
    const page = await storage.runs.findRuns(filter, { limit: 20, ...(cursor && { cursor }) });
    const ms = performance.now() - startedAt;
    sample.pages += 1;
    sample.ms += ms;
    sample.longestMs = Math.max(sample.longestMs, ms);
    found += page.items.length;
    cursor = page.nextCursor;
  } while (found < 20 && cursor);
  if (found === 0) throw new Error('A list is empty.');
  return sample;
}

/** Milliseconds for a run that is stored with an owner, and ended, one after the other. */
async function endRuns(storage, prefix) {
  const times = [];
  for (let index = 0; index < ENDED_RUNS; index += 1) {
    const startedAt = performance.now();
    const created = await storage.runs.create({
      id: `${prefix}-${index}`,
      threadId: `thread-${prefix}-${index}`,
      thread: 'new',
      agent: 'bench',
      principal: { userId: `user-${index}`, tenant: `tenant-${index % TENANTS}`, roles: [] },
      message: 'Hello',
      metadata: {},
      messageId: `m-${prefix}-${index}`,
      whenBusy: 'reject',
      whenAwaiting: 'reject',
      owner: { ownerId: 'bench', leaseMs: 600_000 },
    });
    const { id: runId, threadId, epoch } = created.run;
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2, costMicros: (index * 7919) % 1_000_003 };
    const end = { type: 'end', outcome: 'completed', usage, durationMs: 1 };
    const events = [{ runId, threadId, seq: 1, epoch, at: Date.now(), event: end }];
    const ending = { outcome: 'completed', usage };
    const [result] = await storage.log.append([{ runId, epoch, afterSeq: 0, events, ending }]);
    if (result !== 'appended') throw new Error(`A run could not be ended: ${result}.`);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function openSqlite(directory) {
  const { SqliteStorage } = await load('storage/sqlite/sqlite.storage.js');
  const empty = new SqliteStorage({ directory });
  await empty.open();
  await empty.close();
  const db = new DatabaseSync(`${directory}/agent-stream.db`);
  const series = (count) =>
    `WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < ${count - 1})`;
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN');
  db.exec(`${series(USERS)} INSERT INTO threads (id, tenant, user_id, title, created_at, updated_at)
    SELECT 't' || n, 'tenant-' || (n % ${TENANTS}), 'user-' || n, 'A conversation', 1, 1 FROM series`);
  db.exec(`${series(RUNS)} INSERT INTO runs (${[...Object.keys(COLUMNS), 'message', 'cancel_requested'].join()})
    SELECT ${[...Object.values(COLUMNS), "'Hello'", '0'].join()} FROM series`);
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const execute = (sql) => {
    const other = new DatabaseSync(`${directory}/agent-stream.db`);
    other.exec(sql);
    other.close();
  };
  const countFreeBytes = () => {
    const other = new DatabaseSync(`${directory}/agent-stream.db`);
    const { freelist_count: pages } = other.prepare('PRAGMA freelist_count').get();
    const { page_size: size } = other.prepare('PRAGMA page_size').get();
    other.close();
    return pages * size;
  };
  const storage = new SqliteStorage({ directory });
  await storage.open();
  return {
    storage,
    cheapenWeek: () => execute(toCheapWeek("json_set(usage, '$.costMicros', n)")),
    dropIndexes: () => {
      const before = countFreeBytes();
      execute(FIGURE_INDEXES.map((name) => `DROP INDEX ${name};`).join(''));
      return countFreeBytes() - before;
    },
    close: () => storage.close(),
  };
}

async function openPostgres() {
  const { PostgresStorage } = await load('storage/postgres/postgres.storage.js');
  const server = await startPostgres();
  const storage = new PostgresStorage({ url: server.url });
  await storage.open();
  const client = new Client(server.url);
  await client.connect();
  await client.query('SET search_path = agent_stream; SET synchronous_commit = off');
  await client.query(`INSERT INTO threads (id, tenant, user_id, title, created_at, updated_at)
    SELECT 't' || n, 'tenant-' || (n % ${TENANTS}), 'user-' || n, '"A conversation"', 1, 1 FROM generate_series(0::bigint, ${USERS - 1}) AS n`);
  await client.query(`INSERT INTO runs (${[...Object.keys(COLUMNS), 'message', 'cancel_requested', 'last_seq', 'lease_ms'].join()})
    SELECT ${[...Object.values(COLUMNS), `'"Hello"'`, 'false', '1', '0'].join()} FROM generate_series(0::bigint, ${RUNS - 1}) AS n`);
  await client.query('VACUUM ANALYZE runs');
  return {
    storage,
    cheapenWeek: async () => {
      const cheap = `jsonb_set(usage::jsonb, '{costMicros}', to_jsonb(n))::text`;
      await client.query(toCheapWeek(cheap));
    },
    dropIndexes: async () => {
      const sizes = FIGURE_INDEXES.map((name) => `pg_relation_size('${name}')`).join(' + ');
      const { rows: found } = await client.query(`SELECT (${sizes})::float8 AS bytes`);
      await client.query(`DROP INDEX ${FIGURE_INDEXES.join(', ')}`);
      return found[0].bytes;
    },
    close: async () => {
      await client.end();
      await storage.close();
      await server.stop();
    },
  };
}

/** This week's runs cost less than all others, so that a list by cost meets them last. */
function toCheapWeek(usage) {
  return `UPDATE runs SET usage = ${usage.replace(/\bn\b/, '(ordinal % 1000)')} WHERE created_at >= ${NOW - WEEK_MS}`;
}
