import type { DatabaseSync } from 'node:sqlite';
import { approvalOperations } from './approval.operations.ts';
import { checkpointOperations } from './checkpoint.operations.ts';
import { healthOperations } from './health.operations.ts';
import { logOperations } from './log.operations.ts';
import type { LogTails } from './log.tails.js';
import { retentionOperations } from './retention.operations.ts';
import { runOperations } from './run.operations.ts';
import { threadOperations } from './thread.operations.ts';

/** Everything the main thread can ask for, by name. */
export function operationsOn(db: DatabaseSync, tails: LogTails) {
  const runs = runOperations(db, tails);
  return {
    ...runs,
    ...approvalOperations(db, runs),
    ...threadOperations(db, tails),
    ...logOperations(db, tails),
    ...checkpointOperations(db, tails),
    ...retentionOperations(db),
    ...healthOperations(db),
  };
}

export type Operations = ReturnType<typeof operationsOn>;
