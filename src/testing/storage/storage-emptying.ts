import type { Storage } from '../../storage/storage.js';
import { ALICE, BOB, OTHER_ALICE } from './storage-samples.js';

/**
 * Removes what the promises have left in a storage, for harnesses that use one for many tests because opening it is slow. It
 * goes through the storage's own deletions, so a storage that leaves something behind fails the tests that come after.
 */
export async function emptyStorage({ runs, checkpointer, items: store }: Storage): Promise<void> {
  for (const owner of [ALICE, BOB, OTHER_ALICE]) {
    const { items } = await runs.listThreads(owner, { limit: 1_000 });
    await Promise.all(items.map(({ id }) => runs.deleteThread(owner, id)));
    await store.deleteAll({ tenant: owner.tenant });
  }
  const threads = new Set<string>();
  for await (const { config } of checkpointer.list({}))
    threads.add(String(config.configurable?.['thread_id']));
  await Promise.all([...threads].map((id) => checkpointer.deleteThread(id)));
}
