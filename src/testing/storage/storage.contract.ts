import { appendContract } from './contract/append.contract.js';
import { assistantContract } from './contract/assistant.contract.js';
import { inputPromises } from './contract/input.contract.js';
import { beginContract } from './contract/begin.contract.js';
import { blobContract } from './contract/blob.contract.js';
import { uploadContract } from './contract/upload.contract.js';
import { branchContract } from './contract/branch.contract.js';
import { cancelContract } from './contract/cancel.contract.js';
import { checkpointContract } from './contract/checkpoint.contract.js';
import { claimContract } from './contract/claim.contract.js';
import { delayContract } from './contract/delay.contract.js';
import { concurrencyContract } from './contract/concurrency.contract.js';
import { createContract } from './contract/create.contract.js';
import { deleteContract } from './contract/delete.contract.js';
import { durabilityContract, restartContract } from './contract/durability.contract.js';
import { endingContract } from './contract/ending.contract.js';
import { feedbackContract } from './contract/feedback.contract.js';
import { findContract } from './contract/find.contract.js';
import { itemContract } from './contract/item.contract.js';
import { itemExpiryContract } from './contract/item-expiry.contract.js';
import { leaseContract } from './contract/lease.contract.js';
import { ownerContract } from './contract/owner.contract.js';
import { messageContract } from './contract/message.contract.js';
import { pageContract } from './contract/page.contract.js';
import { queueContract } from './contract/queue.contract.js';
import { readContract } from './contract/read.contract.js';
import { restoreContract } from './contract/restore.contract.js';
import { lifetimeContract } from './contract/lifetime.contract.js';
import { retentionContract } from './contract/retention.contract.js';
import { runDeletionContract } from './contract/run-deletion.contract.js';
import { searchContract } from './contract/search.contract.js';
import { sharedStateContract } from './contract/shared-state.contract.js';
import { spendingContract } from './contract/spending.contract.js';
import { threadContract } from './contract/thread.contract.js';
import { threadCopyContract } from './contract/thread-copy.contract.js';
import { turnContract } from './contract/turn.contract.js';
import { wakeupContract } from './contract/wakeup.contract.js';
import type { ContractSuite, StorageFactory, StorageFeatures, TestFramework } from './storage-harness.js';

const EVERY_STORAGE = [
  createContract,
  beginContract,
  queueContract,
  claimContract,
  delayContract,
  turnContract,
  leaseContract,
  cancelContract,
  messageContract,
  appendContract,
  readContract,
  endingContract,
  inputPromises,
  threadContract,
  searchContract,
  ownerContract,
  pageContract,
  findContract,
  feedbackContract,
  spendingContract,
  deleteContract,
  runDeletionContract,
  threadCopyContract,
  wakeupContract,
  checkpointContract,
  branchContract,
  lifetimeContract,
  retentionContract,
  sharedStateContract,
  itemContract,
  itemExpiryContract,
  blobContract,
  uploadContract,
  assistantContract,
  concurrencyContract,
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
  const suite: ContractSuite = {
    describe: framework.describe,
    expect: framework.expect,
    test: (title, body) =>
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
    if (durable) durabilityContract(suite);
    if (durable && exclusive) restartContract(suite);
    if (restorable) restoreContract(suite);
  });
}
