import type { DatabaseSync } from 'node:sqlite';
import { assistantOperations } from './assistant-operations.ts';
import { blobOperations } from './blob-operations.ts';
import { feedbackOperations } from './feedback-operations.ts';
import { inputOperations } from './input-operations.ts';
import { checkpointOperations } from './checkpoint-operations.ts';
import { healthOperations } from './health-operations.ts';
import { itemOperations } from './item-operations.ts';
import { listingOperations } from './listing-operations.ts';
import { logOperations } from './log-operations.ts';
import { messageOperations } from './message-operations.ts';
import type { TailCache } from './tail.cache.js';
import { retentionOperations } from './retention-operations.ts';
import { runDeletionOperations } from './run-deletion.ts';
import { runOperations } from './run-operations.ts';
import { searchOperations } from './search-operations.ts';
import { sharedStateOperations } from './shared-state-operations.ts';
import { spendingOperations } from './spending-operations.ts';
import { threadCopyOperations } from './thread-copy-operations.ts';
import { threadOperations } from './thread-operations.ts';

/** Everything the main thread can ask for, by name. */
export function operationsOn(db: DatabaseSync, tails: TailCache) {
  const runs = runOperations(db, tails);
  return {
    ...runs,
    ...inputOperations(db, runs),
    ...messageOperations(db),
    ...feedbackOperations(db, runs),
    ...listingOperations(db),
    ...spendingOperations(db),
    ...threadOperations(db, tails),
    ...threadCopyOperations(db),
    ...runDeletionOperations(db, tails),
    ...searchOperations(db),
    ...logOperations(db, tails),
    ...checkpointOperations(db, tails),
    ...retentionOperations(db),
    ...sharedStateOperations(db),
    ...itemOperations(db),
    ...blobOperations(db),
    ...assistantOperations(db),
    ...healthOperations(db),
  };
}

export type Operations = ReturnType<typeof operationsOn>;
