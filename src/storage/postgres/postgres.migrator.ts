import { AppError } from '../../errors.js';
import { hasTable, migrateCheckpointTables } from './checkpoint-tables.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { DEFAULT_SCHEMA, PostgresDatabase, type Statements } from './postgres.database.js';

/** Maximum duration of a statement, in milliseconds. */
const MAX_MIGRATION_MS = 60 * 60 * 1_000;

/**
 * Brings the tables to the shape that this version works with, up to `target` migrations. Only forward. Processes that start
 * at the same moment do it one after the other; who finds nothing to do needs no right to change tables.
 *
 * @returns how many migrations were run
 * @throws AppError STORAGE_FAILED when the tables belong to a newer version
 */
export async function migrate(
  database: PostgresDatabase,
  target: number = MIGRATIONS.length,
): Promise<number> {
  const version = await readVersion(database, database.schema);
  refuseNewer(version);
  if (version >= target) return 0;
  let count = 0;
  // Beside instances at work, one at a time: none keeps the locks of the one before it. An empty database has no instances.
  for (let next = version === 0 ? target : version + 1; next <= target; next += 1)
    count += await database.transaction((tx) => runPending(withPatience(tx), database.schema, next));
  return count;
}

/** Does it over connections of its own. Needs the right to make a schema and tables. */
export async function migrateDatabase(url: string, schema: string = DEFAULT_SCHEMA): Promise<number> {
  const database = new PostgresDatabase({ url, schema, poolSize: 1, patienceMs: 10_000 });
  try {
    return await migrate(database);
  } finally {
    await database.close();
  }
}

/** In one transaction, which also holds the lock: a lock of a session would not work through PgBouncer. */
async function runPending(tx: Statements, schema: string, target: number): Promise<number> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${schema}:migrations`]);
  const version = await readVersion(tx, schema);
  refuseNewer(version);
  if (version === 0) {
    await tx.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await tx.query(
      `CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    );
  }
  const pending = MIGRATIONS.slice(version, target);
  for (const [index, migration] of pending.entries()) {
    await tx.query(migration(schema));
    await tx.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [version + index + 1]);
  }
  if (target === MIGRATIONS.length) await migrateCheckpointTables(tx, schema);
  return pending.length;
}

/** Statements that may take as long as it takes to build an index, and to wait for another process that does. */
function withPatience(tx: Statements): Statements {
  return { query: (text, values) => tx.query(text, values, MAX_MIGRATION_MS) };
}

async function readVersion(statements: Statements, schema: string): Promise<number> {
  if (!(await hasTable(statements, schema, 'migrations'))) return 0;
  const [row] = await statements.query<{ version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM ${schema}.migrations`,
  );
  return row?.version ?? 0;
}

function refuseNewer(version: number): void {
  if (version <= MIGRATIONS.length) return;
  throw new AppError(
    'STORAGE_FAILED',
    `The database was written by a newer version (schema ${version}; this version knows ${MIGRATIONS.length}). ` +
      'Start that version again, or restore a backup from before it.',
  );
}
