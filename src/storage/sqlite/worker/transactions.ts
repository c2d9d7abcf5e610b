import type { DatabaseSync } from 'node:sqlite';
import { operationsOn } from './operations.ts';
import { LogTails } from './log.tails.ts';
import { isFull, problemOf, type Problem } from './problem.ts';
import type { Call, Outcome } from './protocol.js';

/** Runs calls in their order in one transaction. A call that fails takes no other with it; a commit that fails takes all. */
export function transactionsOn(db: DatabaseSync): (calls: readonly Call[]) => Outcome[] {
  const tails = new LogTails(db);
  const operations = operationsOn(db, tails);
  const byName = operations as Record<string, unknown>;
  const [begin, commit, savepoint, rollbackToSavepoint, releaseSavepoint] = [
    'BEGIN IMMEDIATE',
    'COMMIT',
    'SAVEPOINT call',
    'ROLLBACK TO call',
    'RELEASE call',
  ].map((sql) => db.prepare(sql)) as [Statement, Statement, Statement, Statement, Statement];

  const noted = (error: unknown): Problem => {
    if (isFull(error)) operations.noteFull();
    return problemOf(error);
  };

  const attempt = ({ operation, input }: Call): Outcome => {
    savepoint.run();
    try {
      const value = (byName[operation] as (input: unknown) => unknown)(input);
      releaseSavepoint.run();
      return { value };
    } catch (error) {
      // SQLite gives up the whole transaction by itself when the disk is full or fails: then the others are gone as well.
      if (!db.isTransaction) throw error;
      rollbackToSavepoint.run();
      tails.forgetAll();
      releaseSavepoint.run();
      return { problem: noted(error) };
    }
  };

  return (calls) => {
    try {
      begin.run();
      const outcomes = calls.map(attempt);
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      tails.forgetAll();
      const problem = noted(error);
      return calls.map(() => ({ problem }));
    }
  };
}

type Statement = ReturnType<DatabaseSync['prepare']>;
