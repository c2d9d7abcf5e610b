// What a claim costs while 10,000 runs wait, and what a start costs. Not a part of `npm run bench`:
//   npm run build && node bench/claims.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from './support/postgres.mjs';

const { PostgresStorage } = await import('../dist/storage/postgres/postgres.storage.js');
const { SqliteStorage } = await import('../dist/storage/sqlite/sqlite.storage.js');

const WAITING = 10_000;
const AT_WORK = 50;
const CLAIMS = 200;

/** The owners of the waiting runs. */
const CROWDS = {
  'one caller': () => ({ tenant: 't', userId: 'u' }),
  '100 callers of one tenant': (index) => ({ tenant: 't', userId: `u${index % 100}` }),
  '10,000 callers of one tenant': (index) => ({ tenant: 't', userId: `u${index}` }),
  '10,000 tenants': (index) => ({ tenant: `t${index}`, userId: 'u' }),
};

const quantile = (times, share) => times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? NaN;
const shown = (times) =>
  `p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`;

const newRun = (id, owner) => ({
  id,
  threadId: `t-${id}`,
  thread: 'new',
  agent: 'a',
  principal: { ...owner, roles: [] },
  message: 'hello',
  metadata: {},
  messageId: `m-${id}`,
  whenBusy: 'reject',
  whenAwaiting: 'deny',
});

async function measure(name, open) {
  for (const [crowd, of] of Object.entries(CROWDS)) {
    const { storage, close, settle } = await open();
    for (let index = 0; index < WAITING; index += 500) {
      const runs = Array.from({ length: 500 }, (_, more) => newRun(`r${index + more}`, of(index + more)));
      await Promise.all(runs.map((run) => storage.runs.create(run)));
    }
    const claim = (maxRunsPerPrincipal) =>
      storage.runs.claim({ ownerId: 'o', leaseMs: 600_000, maxRunsPerPrincipal });
    for (let index = 0; index < AT_WORK; index += 1) await claim(undefined);
    await settle();
    const [taken, refused] = [[], []];
    for (let index = 0; index < CLAIMS; index += 1) {
      const start = performance.now();
      const run = await claim(100_000);
      taken.push(performance.now() - start);
      if (!run) throw new Error('Nothing to claim.');
    }
    for (let index = 0; index < CLAIMS / 4; index += 1) {
      const start = performance.now();
      await claim(1);
      refused.push(performance.now() - start);
    }
    console.log(`${name}, ${crowd}: claim ${shown(taken)}; at a limit of 1 ${shown(refused)}`);
    await close();
  }
  const { storage, close } = await open();
  for (const limit of [undefined, 100_000]) {
    const owner = { ownerId: 'o', leaseMs: 600_000, maxRunsPerPrincipal: limit };
    const start = async (id, tenant) => {
      const from = performance.now();
      await storage.runs.create({ ...newRun(`${id}-${limit}`, { tenant, userId: 'u' }), owner });
      return performance.now() - from;
    };
    const alone = [];
    for (let index = 0; index < 300; index += 1) alone.push(await start(`s${index}`, `t${index}`));
    const from = performance.now();
    await Promise.all(Array.from({ length: 300 }, (_, index) => start(`p${index}`, 'same')));
    const perSecond = Math.round((300 * 1000) / (performance.now() - from));
    console.log(
      `${name}, ${limit ? 'with' : 'without'} a limit: start ${shown(alone)}; 300 of one caller at once: ${perSecond}/s`,
    );
  }
  await close();
}

const server = await PostgresServer.start({ syncs: true });
try {
  let schemas = 0;
  await measure('PostgreSQL', async () => {
    const storage = new PostgresStorage({ url: server.url, schema: `claims_${(schemas += 1)}` });
    await storage.open();
    const settle = () => storage.database.query(`VACUUM ANALYZE ${storage.database.schema}.runs`);
    return { storage, settle, close: () => storage.close() };
  });
} finally {
  await server.stop();
}

await measure('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'claims-'));
  const storage = new SqliteStorage({ directory });
  await storage.open();
  const close = async () => {
    await storage.close();
    rmSync(directory, { recursive: true });
  };
  return { storage, settle: () => {}, close };
});
