import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunnableConfig } from '@langchain/core/runnables';
import { uuid6 } from '@langchain/langgraph-checkpoint';
import { PostgresServer } from '../../testing/cluster/postgres.server.js';
import { batchOf, ownedRun, ownershipOf } from '../../testing/storage/storage.samples.js';
import { CHECKPOINT_FENCE, CheckpointFencedError } from '../checkpoint.fence.js';
import { copyTables, schemaName } from './postgres.testing.js';
import { PostgresStorage } from './postgres.storage.js';

let server: PostgresServer;
let storage: PostgresStorage;

beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(() => server?.stop(), 30_000);

beforeEach(async () => {
  storage = new PostgresStorage({ url: server.url, schema: schemaName() });
  await storage.open();
});
afterEach(() => storage.close());

/** A step's results, stored by that owner. */
function save(owner: { runId: string; epoch: number }): Promise<void> {
  const config: RunnableConfig = {
    configurable: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: uuid6(0), [CHECKPOINT_FENCE]: owner },
  };
  return storage.checkpointer.putWrites(config, [['words', 'said']], 'task-1');
}

describe('an owner under whose feet an older copy of the database was put back, and who is the owner there too', () => {
  it('stores no checkpoint that is ahead of the log', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([batchOf(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await storage.log.append([batchOf(run, 3, 2)]);
    await putBack();
    await expect(save(ownershipOf(run))).rejects.toThrow(CheckpointFencedError);
  });

  it('stores no checkpoint with events that the log refuses', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([batchOf(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await storage.log.append([batchOf(run, 3, 2)]);
    await putBack();
    const appended = storage.log.append([batchOf(run, 5)]);
    await expect(save(ownershipOf(run))).rejects.toThrow(CheckpointFencedError);
    expect(await appended).toEqual(['fenced']);
  });

  it('goes on when the log has all that it knows of', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([batchOf(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await putBack();
    const appended = storage.log.append([batchOf(run, 3)]);
    await save(ownershipOf(run));
    expect(await appended).toEqual(['appended']);
  });
});
