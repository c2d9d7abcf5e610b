import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { PostgresServer } from '../../test/harness/cluster/postgres.server.js';
import { AppError } from '../errors.js';
import type { RunEvent } from '../events/run-event.js';
import { PostgresDatabase } from '../storage/postgres/postgres.database.js';
import { PostgresStorage } from '../storage/postgres/postgres.storage.js';
import { schemaName } from '../storage/postgres/postgres.testing.js';
import { SqliteStorage } from '../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../storage/storage.js';
import { ALICE, BOB, endRun, ownedRun, recorded, toEnding } from '../testing/storage/storage-samples.js';
import { EventCache } from './event.cache.js';
import { RetentionService } from './retention.service.js';
import { parseSearch } from './search-words.js';

// What is logged of a log that cannot be read is not what is tested.
Logger.overrideLogger(false);

/** Runs that have ended as an earlier version has stored them: their words are in their logs only. */
async function storeRuns(storage: Storage): Promise<void> {
  const run = await ownedRun(storage, 'r1', { message: 'Which birds?' });
  const said: RunEvent[] = [
    { type: 'text-start', partId: 'p1', stepId: 's1', messageId: 'm1' },
    { type: 'text-delta', partId: 'p1', delta: 'Spar' },
    { type: 'text-delta', partId: 'p1', delta: 'rows.' },
    { type: 'text-end', partId: 'p1' },
  ];
  const events = said.map((event, index) => recorded(run, index + 1, event));
  await storage.log.append([
    { runId: run.id, epoch: run.epoch, afterSeq: 0, events },
    toEnding(run, events.length),
  ]);
  await endRun(storage, await ownedRun(storage, 'r2', { message: 'No birds.' }));
  await endRun(storage, await ownedRun(storage, 'r3', { message: 'Other birds?', principal: BOB }));
  await ownedRun(storage, 'r4', { message: 'Unanswered birds' });
}

/** @param forget removes the words, and the marks that the runs have them */
async function expectIndexing(storage: Storage, forget: (damaged: string) => Promise<void>): Promise<void> {
  await storeRuns(storage);
  await forget('r2');
  const { retention, items, blobs, runs, log } = storage;
  const read = log.readPage.bind(log);
  const list = async (words: string) => {
    const { items } = await runs.searchThreads(ALICE, { limit: 10, terms: parseSearch(words) });
    return items.map(({ place: { runId } }) => String(runId)).toSorted();
  };
  expect(await list('birds')).toEqual([]);
  expect((await retention.listUnindexed(10)).length).toBe(3);
  const service = new RetentionService({ retention, items, blobs, runs, log, recent: new EventCache() });
  const readPage = jest.spyOn(log, 'readPage').mockImplementation((runId, afterSeq, limit) => {
    if (runId !== 'r1') return read(runId, afterSeq, limit);
    throw new AppError('STORAGE_FAILED', 'The storage is away.', { retryable: true });
  });
  await service.sweep();
  expect(await retention.listUnindexed(10)).toEqual(['r1']);
  expect(await list('birds')).toEqual(['r2']);
  readPage.mockRestore();
  await service.sweep();
  expect(await retention.listUnindexed(10)).toEqual([]);
  expect(await list('birds')).toEqual(['r1', 'r2']);
  expect(await list('sparrows')).toEqual(['r1']);
  await service.sweep();
  expect(await list('birds sparrows')).toEqual(['r1']);
}

describe('the search of runs that an earlier version has ended', () => {
  it('begins with the first sweep on SQLite, even for a log that cannot be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'agent-stream-'));
    const storage = new SqliteStorage({ directory });
    await storage.open();
    try {
      await expectIndexing(storage, async (damaged) => {
        const db = new DatabaseSync(join(directory, 'agent-stream.db'), { timeout: 5_000 });
        db.exec('DELETE FROM run_words; UPDATE runs SET indexed = 0');
        db.prepare("UPDATE batches SET frames = '[' WHERE run = (SELECT ordinal FROM runs WHERE id = ?)").run(
          damaged,
        );
        db.close();
      });
    } finally {
      await storage.close();
      await rm(directory, { recursive: true });
    }
  });

  it('begins with the first sweep on PostgreSQL, even for a log that cannot be read', async () => {
    const server = await PostgresServer.shared();
    const schema = schemaName();
    const storage = new PostgresStorage({ url: server.url, schema });
    await storage.open();
    const database = new PostgresDatabase({ url: server.url, schema, poolSize: 1, patienceMs: 0 });
    try {
      await expectIndexing(storage, async (damaged) => {
        await database.query(`DELETE FROM ${schema}.run_words`);
        await database.query(`UPDATE ${schema}.runs SET indexed = false`);
        await database.query(
          `UPDATE ${schema}.batches SET frames = '[' WHERE run = (SELECT ordinal FROM ${schema}.runs WHERE id = $1)`,
          [damaged],
        );
      });
    } finally {
      await database.close();
      await storage.close();
      await server.stop();
    }
  });
});
