import { afterAll, beforeAll, expect } from '@jest/globals';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { deltaChannelHistoryTests, specTest } from '@langchain/langgraph-checkpoint-validation';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { PostgresStorage } from './postgres.storage.js';
import { schemaName } from './postgres.testing.js';

// LangGraph's own suite for checkpointers is written for vitest's globals; of what jest's lack it uses this one only.
Object.assign(expect, { soft: expect });

let server: SharedPostgres | undefined;
let storage: PostgresStorage;

beforeAll(async () => {
  server = await PostgresServer.shared();
  storage = new PostgresStorage({ url: server.url, schema: schemaName(), keepCheckpoints: 'all' });
  await storage.open();
});

afterAll(async () => {
  await storage?.close();
  await server?.stop();
});

const initializer = {
  checkpointerName: 'PostgresCheckpointer',
  createCheckpointer: () => storage.checkpointer,
  destroyCheckpointer: async (checkpointer: BaseCheckpointSaver) => {
    for await (const { config } of checkpointer.list({}))
      await checkpointer.deleteThread(String(config.configurable?.['thread_id']));
  },
};
specTest(initializer);
deltaChannelHistoryTests(initializer);
