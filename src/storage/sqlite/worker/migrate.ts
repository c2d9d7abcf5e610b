import type { DatabaseSync } from 'node:sqlite';
import { ProblemError } from './problem.ts';
import { MIGRATIONS } from './schema.ts';

/** Brings the tables to the shape that this version works with. Only forward: an older version never writes a newer file. */
export function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > MIGRATIONS.length) {
    throw new ProblemError(
      'STORAGE_FAILED',
      `The data was written by a newer version (schema ${version}; this version knows ${MIGRATIONS.length}). ` +
        'Start that version again, or use another data directory.',
    );
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
