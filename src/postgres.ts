// The storage that any number of processes share. Needs the packages pg and @langchain/langgraph-checkpoint-postgres.
export { PostgresStorage } from './storage/postgres/postgres.storage.js';
export type { PostgresStorageOptions } from './storage/postgres/postgres.storage.js';

// What one principal may ask for, counted over all of them
export { PostgresOpenStreams } from './throttling/postgres.open-streams.js';
export { PostgresRunStartCounter } from './throttling/postgres.run-start.counter.js';
