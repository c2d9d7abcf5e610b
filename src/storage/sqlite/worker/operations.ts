import type { DatabaseSync } from 'node:sqlite';
import { checkpointOperations } from './checkpoint.operations.ts';
import { logOperations } from './log.operations.ts';
import { runOperations } from './run.operations.ts';
import { threadOperations } from './thread.operations.ts';

/** Everything the main thread can ask for, by name. */
export function operationsOn(db: DatabaseSync) {
  const note = db.prepare('INSERT OR REPLACE INTO health (id, checked_at) VALUES (1, ?)');
  return {
    ...runOperations(db),
    ...threadOperations(db),
    ...logOperations(db),
    ...checkpointOperations(db),

    /** Writes, because a disk that is full can still be read. */
    check(now: number): void {
      note.run(now);
    },
  };
}

export type Operations = ReturnType<typeof operationsOn>;
