import { appendPromises } from './promises/append.promises.js';
import { approvalPromises } from './promises/approval.promises.js';
import { beginPromises } from './promises/begin.promises.js';
import { branchPromises } from './promises/branch.promises.js';
import { cancelPromises } from './promises/cancel.promises.js';
import { checkpointPromises } from './promises/checkpoint.promises.js';
import { claimPromises } from './promises/claim.promises.js';
import { concurrencyPromises } from './promises/concurrency.promises.js';
import { createPromises } from './promises/create.promises.js';
import { deletePromises } from './promises/delete.promises.js';
import { durabilityPromises, restartPromises } from './promises/durability.promises.js';
import { endingPromises } from './promises/ending.promises.js';
import { leasePromises } from './promises/lease.promises.js';
import { pagePromises } from './promises/page.promises.js';
import { queuePromises } from './promises/queue.promises.js';
import { readPromises } from './promises/read.promises.js';
import { restorePromises } from './promises/restore.promises.js';
import { retentionPromises } from './promises/retention.promises.js';
import { threadPromises } from './promises/thread.promises.js';
import { wakeupPromises } from './promises/wakeup.promises.js';
import type { PromiseSuite, StorageFactory, StorageFeatures, TestFramework } from './storage.harness.js';

const EVERY_STORAGE = [
  createPromises,
  beginPromises,
  queuePromises,
  claimPromises,
  leasePromises,
  cancelPromises,
  appendPromises,
  readPromises,
  endingPromises,
  approvalPromises,
  threadPromises,
  pagePromises,
  deletePromises,
  wakeupPromises,
  checkpointPromises,
  branchPromises,
  retentionPromises,
  concurrencyPromises,
];

/**
 * States everything that a storage promises, as tests. Call it in a spec of your storage:
 *
 * ```ts
 * import { describe, expect, it } from '@jest/globals'; // or from 'vitest'
 * describeStorage({ describe, it, expect }, 'MyStorage', makeHarness);
 * ```
 *
 * @param factory is called for every test and gives it an empty storage: a new one, or one that `emptyStorage` has emptied
 */
export function describeStorage(
  framework: TestFramework,
  name: string,
  factory: StorageFactory,
  { durable = true, exclusive = false, restorable = false }: StorageFeatures = {},
): void {
  const suite: PromiseSuite = {
    describe: framework.describe,
    expect: framework.expect,
    promise: (title, body) =>
      framework.it(title, async () => {
        const harness = await factory();
        try {
          await body(harness);
        } finally {
          await harness.dispose();
        }
      }),
  };
  framework.describe(`${name} as a storage`, () => {
    for (const promises of EVERY_STORAGE) promises(suite);
    if (durable) durabilityPromises(suite);
    if (durable && exclusive) restartPromises(suite);
    if (restorable) restorePromises(suite);
  });
}
