// The storage that any number of processes share, and what one principal may ask for, counted over all of them.
import { loadWith } from './optional.packages.js';

const PACKAGES = ['pg', '@langchain/langgraph-checkpoint-postgres'];

type StorageModule = typeof import('./storage/postgres/postgres.storage.js');
type StreamsModule = typeof import('./throttling/postgres.open-streams.js');
type StartsModule = typeof import('./throttling/postgres.run-start.counter.js');

export const { PostgresStorage } = loadWith(
  PACKAGES,
  './storage/postgres/postgres.storage.js',
) as StorageModule;
export type PostgresStorage = InstanceType<typeof PostgresStorage>;
export type { PostgresStorageOptions } from './storage/postgres/postgres.storage.js';

export const { PostgresOpenStreams } = loadWith(
  PACKAGES,
  './throttling/postgres.open-streams.js',
) as StreamsModule;
export type PostgresOpenStreams = InstanceType<typeof PostgresOpenStreams>;

export const { PostgresRunStartCounter } = loadWith(
  PACKAGES,
  './throttling/postgres.run-start.counter.js',
) as StartsModule;
export type PostgresRunStartCounter = InstanceType<typeof PostgresRunStartCounter>;
