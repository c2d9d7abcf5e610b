import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';
import type { Pool } from 'pg';
import type { Statements } from './postgres.database.js';

/** LangGraph's own migrations of its own tables, inside our transaction: theirs by themselves would race between processes. */
export async function migrateCheckpointTables(tx: Statements, schema: string): Promise<void> {
  // It finds out that there are no tables yet by an error, which would end the transaction.
  if (!(await hasTable(tx, schema, 'checkpoint_migrations')))
    await tx.query(`CREATE TABLE ${schema}.checkpoint_migrations (v integer PRIMARY KEY)`);
  const query = async (text: string, values?: unknown[]) => ({ rows: await tx.query(text, values) });
  const pool = { connect: async () => ({ query, release: () => undefined }) } as unknown as Pool;
  await new PostgresSaver(pool, undefined, { schema }).setup();
}

/** Read from the catalog itself: `to_regclass` may answer from a cache that is older than the lock we wait for. */
export async function hasTable(statements: Statements, schema: string, name: string): Promise<boolean> {
  const rows = await statements.query('SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2', [
    schema,
    name,
  ]);
  return rows.length > 0;
}

/** The tables of checkpoints: LangGraph's, and our own beside them. */
const TABLES = ['checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'checkpoint_task_paths'] as const;

/** Removes all that is remembered under a key. */
export async function deleteCheckpoints(tx: Statements, schema: string, threadKey: string): Promise<void> {
  for (const table of TABLES) {
    await tx.query(`DELETE FROM ${schema}.${table} WHERE thread_id = $1`, [threadKey]);
  }
}
