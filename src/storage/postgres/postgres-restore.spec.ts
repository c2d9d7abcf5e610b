import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunnableConfig } from '@langchain/core/runnables';
import { uuid6 } from '@langchain/langgraph-checkpoint';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { toBatch, ownedRun, toOwnership } from '../../testing/storage/storage-samples.js';
import { CHECKPOINT_FENCE, CheckpointFencedError } from '../../agents/langgraph/checkpoint-fence.js';
import { copyTables, schemaName } from './postgres.testing.js';
import { PostgresStorage } from './postgres.storage.js';

let server: SharedPostgres;
let storage: PostgresStorage;

beforeAll(async () => {
  server = await PostgresServer.shared();
});
afterAll(() => server?.stop());

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

describe('an owner after a restore of an older copy of the database', () => {
  it('refuses a checkpoint that is ahead of the restored log', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await storage.log.append([toBatch(run, 3, 2)]);
    await putBack();
    await expect(save(toOwnership(run))).rejects.toThrow(CheckpointFencedError);
  });

  it('refuses a checkpoint together with events that the restored log refuses', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await storage.log.append([toBatch(run, 3, 2)]);
    await putBack();
    const appended = storage.log.append([toBatch(run, 5)]);
    await expect(save(toOwnership(run))).rejects.toThrow(CheckpointFencedError);
    expect(await appended).toEqual(['fenced']);
  });

  it('accepts a checkpoint when the restored log has all the events that its owner knows of', async () => {
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0, 3)]);
    const putBack = await copyTables(storage.database);
    await putBack();
    const appended = storage.log.append([toBatch(run, 3)]);
    await save(toOwnership(run));
    expect(await appended).toEqual(['appended']);
  });
});
