import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/runs/run-ids.js';
import { advanceClock, schemaName, stopClock } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { S3ObjectStore } from '../../src/storage/s3/s3-object.store.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';
import type { FilesOptions } from '../harness/files.process.js';
import { startProgram } from '../harness/program.js';
import { S3Server } from '../harness/s3.server.js';
import { until } from '../support/until.js';

const ROUNDS = 6;
const DAY_MS = 24 * 60 * 60_000;
const OWNER = { tenant: 'acme', userId: 'ada' };
const FILES = Array.from({ length: 12 }, (_, n) => `file-${n}`);

let s3: S3Server;
let postgres: SharedPostgres;

beforeAll(async () => {
  [s3, postgres] = await Promise.all([S3Server.start(), PostgresServer.shared()]);
});
afterAll(async () => {
  await s3?.stop();
  await postgres?.stop();
});

/** Runs the process until it has made so many steps, and then kills it in the middle of whatever it does. */
async function runAndKill(options: FilesOptions, steps: number): Promise<void> {
  const child = startProgram(
    new URL('../harness/files.process.ts', import.meta.url),
    JSON.stringify(options),
  );
  const gone = once(child, 'exit');
  for (let step = 0; step < steps; step += 1) await Promise.race([once(child, 'message'), gone]);
  expect(child.exitCode).toBe(null);
  child.kill('SIGKILL');
  await gone;
}

/** Counts what the database still does for processes that are gone. */
async function countWork({ database }: PostgresStorage, schema: string): Promise<number> {
  const rows = await database.query(
    `SELECT pid FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND position($1 IN query) > 0`,
    [schema],
  );
  return rows.length;
}

/** Checks that each file has its bytes, and that no object is left once all files are deleted. */
async function check({ blobs }: Storage, prefix: string, advance: () => Promise<void>): Promise<number> {
  await s3.settle();
  const known = await blobs.describe(OWNER, FILES);
  for (const { id } of known)
    expect(Buffer.from((await blobs.get(OWNER, id))!.data).toString()).toBe(id.repeat(2_000));
  await blobs.deleteUploads(OWNER);
  // What the process was about to name or to remove has its time.
  await advance();
  while ((await blobs.removeLeftovers(50)) > 0);
  expect(await s3.names(prefix)).toEqual([]);
  return known.length;
}

describe('a process that is killed while it stores and deletes files in a bucket', () => {
  it('leaves no file without bytes and no object without a file, on SQLite', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'killed-files-'));
    const prefix = `${newId()}/`;
    const options = { ...s3.options, prefix };
    let found = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await runAndKill({ storage: { directory }, s3: options, fileIds: FILES }, randomInt(30, 120));
      let now = Date.now();
      const storage = new SqliteStorage({ directory, objects: new S3ObjectStore(options), clock: () => now });
      await storage.open();
      found += await check(storage, prefix, async () => void (now += DAY_MS));
      await storage.close();
    }
    expect(found).toBeGreaterThan(ROUNDS);
    await rm(directory, { recursive: true });
  });

  it('leaves no file without bytes and no object without a file, on PostgreSQL, beside another that goes on', async () => {
    const prefix = `${newId()}/`;
    const options = { ...s3.options, prefix };
    const place = { url: postgres.url, schema: schemaName() };
    const storage = new PostgresStorage({ ...place, objects: new S3ObjectStore(options) });
    await storage.open();
    await stopClock(storage.database);
    let found = 0;
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const run = { storage: place, s3: options, fileIds: FILES };
      await Promise.all([runAndKill(run, randomInt(30, 120)), runAndKill(run, randomInt(30, 120))]);
      await until(async () => (await countWork(storage, place.schema)) === 0);
      found += await check(storage, prefix, () => advanceClock(storage.database, DAY_MS));
    }
    expect(found).toBeGreaterThan(ROUNDS / 2);
    await storage.database.query(`DROP SCHEMA ${place.schema} CASCADE`);
    await storage.close();
  });
});
