import { customAlphabet } from 'nanoid';
import type { PostgresDatabase } from './postgres.database.js';

/** A schema of its own for each test: one server serves them all. */
export const schemaName = customAlphabet('abcdefghijklmnopqrstuvwxyz', 16);

/** Puts a clock in place of the database's, which stands still until it is told to go on. */
export async function stopClock(database: PostgresDatabase): Promise<void> {
  const { schema } = database;
  await database.query(
    `CREATE TABLE IF NOT EXISTS ${schema}.stopped_clock AS SELECT ${schema}.now_ms() AS now`,
  );
  await database.query(`
    CREATE OR REPLACE FUNCTION ${schema}.now_ms() RETURNS bigint LANGUAGE sql STABLE
      AS $$ SELECT now FROM ${schema}.stopped_clock $$`);
}

/** Leaves a schema as new, with its clock at the present moment: to migrate one for each test takes ten times as long. */
export async function emptySchema(database: PostgresDatabase): Promise<void> {
  const { schema } = database;
  const tables = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables
      WHERE schemaname = $1 AND tablename NOT IN ('migrations', 'checkpoint_migrations', 'stopped_clock')`,
    [schema],
  );
  const names = tables.map(({ name }) => `${schema}.${name}`);
  await database.query(`TRUNCATE ${names.join(', ')} RESTART IDENTITY`);
  await database.query(
    `UPDATE ${schema}.stopped_clock SET now = (extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
  );
}

export async function advanceClock(database: PostgresDatabase, ms: number): Promise<void> {
  await database.query(`UPDATE ${database.schema}.stopped_clock SET now = now + $1`, [ms]);
}

/** The tables with a row that has this text in it. */
export async function tablesWith(database: PostgresDatabase, text: string): Promise<string[]> {
  const { schema } = database;
  const tables = await database.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
    [schema],
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await database.query(
      `SELECT 1 FROM ${schema}.${name} AS row WHERE position($1 IN row::text) > 0 LIMIT 1`,
      [text],
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

/** Copies all tables, as a dump does; what it resolves with puts them back, under whoever uses them. */
export async function copyTables(database: PostgresDatabase): Promise<() => Promise<void>> {
  const { schema } = database;
  const copy = schemaName();
  const tables = await database.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
    [schema],
  );
  await database.query(`CREATE SCHEMA ${copy}`);
  for (const { name } of tables)
    await database.query(`CREATE TABLE ${copy}.${name} AS TABLE ${schema}.${name}`);
  return async () => {
    await database.transaction(async (tx) => {
      for (const { name } of tables) {
        await tx.query(`DELETE FROM ${schema}.${name}`);
        await tx.query(`INSERT INTO ${schema}.${name} OVERRIDING SYSTEM VALUE SELECT * FROM ${copy}.${name}`);
      }
    });
    await database.query(`DROP SCHEMA ${copy} CASCADE`);
  };
}
