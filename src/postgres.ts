// The storage that any number of processes share.
import { loadWith } from './optional-packages.js';

const PACKAGES = ['pg', '@langchain/langgraph-checkpoint-postgres'];

type StorageModule = typeof import('./storage/postgres/postgres.storage.js');

export const { PostgresStorage } = loadWith(
  PACKAGES,
  './storage/postgres/postgres.storage.js',
) as StorageModule;
export type PostgresStorage = InstanceType<typeof PostgresStorage>;
export type { PostgresStorageOptions } from './storage/postgres/postgres-storage.options.js';
