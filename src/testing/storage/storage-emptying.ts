import type { Storage } from '../../storage/storage.js';
import { ALICE, BOB, OTHER_ALICE } from './storage-samples.js';

/**
 * Removes what the promises have left in a storage, for harnesses that use one for many tests because opening it is slow. It
 * goes through the storage's own deletions, so a storage that leaves something behind fails the tests that come after.
 */
export async function emptyStorage({
  runs,
  checkpointer,
  retention,
  assistants,
  blobs,
  items: store,
}: Storage): Promise<void> {
  for (;;) {
    const { items } = await runs.findRuns({}, { limit: 500 });
    if (items.length === 0) break;
    await Promise.all(items.map(({ principal, threadId }) => runs.deleteThread(principal, threadId)));
  }
  // Those that have no run.
  const all = { unchangedSince: Number.MAX_SAFE_INTEGER, limit: 500 };
  while ((await retention.deleteIdleThreads(all)).length > 0);
  for (const { tenant } of [ALICE, OTHER_ALICE]) await store.deleteAll({ tenant });
  for (const owner of [ALICE, BOB, OTHER_ALICE])
    await Promise.all([assistants.deleteAll(owner), blobs.deleteUploads(owner)]);
  const threads = new Set<string>();
  for await (const { config } of checkpointer.list({}))
    threads.add(String(config.configurable?.['thread_id']));
  await Promise.all([...threads].map((id) => checkpointer.deleteThread(id)));
}
