import type { DatabaseSync } from 'node:sqlite';
import { operationsOn } from './operations.ts';
import { TailCache } from './tail.cache.ts';
import { isFull, toProblem, type Problem } from './problem.ts';
import type { Call, Outcome } from './protocol.js';

export interface Transactions {
  /** Runs calls in their order in one transaction. A call that fails takes no other with it; a commit that fails takes all. */
  readonly transact: (calls: readonly AnyCall[]) => Outcome[];
  /** Runs a call that writes nothing. */
  readonly read: (call: AnyCall) => Outcome;
}

type AnyCall = Pick<Call, 'operation' | 'input'>;

export function transactionsOn(db: DatabaseSync): Transactions {
  const tails = new TailCache(db);
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
    return toProblem(error);
  };

  const run = ({ operation, input }: AnyCall): unknown =>
    (byName[operation] as (input: unknown) => unknown)(input);

  /** Runs a call so that it can be undone by itself. */
  const runApart = (call: AnyCall): Outcome => {
    savepoint.run();
    try {
      const value = run(call);
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

  const undo = (): void => {
    if (db.isTransaction) db.exec('ROLLBACK');
    tails.forgetAll();
  };

  /**
   * Runs the calls without a savepoint for each: under one, SQLite copies every page that is changed for the first time since, and
   * hardly any call fails. Undefined when one has failed among others, or the commit has; then nothing was done.
   */
  const transactTogether = (calls: readonly AnyCall[]): Outcome[] | undefined => {
    begin.run();
    try {
      const outcomes = calls.map((call) => ({ value: run(call) }));
      commit.run();
      return outcomes;
    } catch (error) {
      if (calls.length === 1) throw error;
      undo();
      return undefined;
    }
  };

  const transactApart = (calls: readonly AnyCall[]): Outcome[] => {
    begin.run();
    const outcomes = calls.map(runApart);
    commit.run();
    return outcomes;
  };

  return {
    transact(calls) {
      try {
        return transactTogether(calls) ?? transactApart(calls);
      } catch (error) {
        undo();
        const problem = noted(error);
        return calls.map(() => ({ problem }));
      }
    },

    read(call) {
      try {
        return { value: run(call) };
      } catch (error) {
        return { problem: noted(error) };
      }
    },
  };
}

type Statement = ReturnType<DatabaseSync['prepare']>;
