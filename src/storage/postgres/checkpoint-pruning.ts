import type { Statements } from './postgres.database.js';

/**
 * Deletes what a saved checkpoint replaces: in its namespace the checkpoints older than the `keep` newest, with their writes and
 * with the values that the rest does not refer to, and the namespaces of the subgraphs that worked for one of those. A checkpoint
 * refers to whole values, so keeping all of them costs bytes in the square of a thread's length.
 */
export async function pruneCheckpoints(
  tx: Statements,
  s: string,
  {
    threadId,
    namespace,
    keep,
  }: { readonly threadId: string; readonly namespace: string; readonly keep: number },
): Promise<void> {
  const [oldest] = await tx.query<{ id: string; older: boolean }>(
    `SELECT kept.checkpoint_id AS id, EXISTS (
       SELECT 1 FROM ${s}.checkpoints
       WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id < kept.checkpoint_id) AS older
     FROM ${s}.checkpoints AS kept WHERE thread_id = $1 AND checkpoint_ns = $2
     ORDER BY checkpoint_id DESC LIMIT 1 OFFSET $3`,
    [threadId, namespace, keep - 1],
  );
  if (!oldest?.older) return;
  // A subgraph names in `parents` the checkpoints, by namespace, whose tasks it worked on. Without a task in its name, after the
  // colon, it is one that remembers its state from run to run, and stays.
  const namespaces = await tx.query<{ ns: string }>(
    `DELETE FROM ${s}.checkpoints WHERE thread_id = $1
       AND (checkpoint_ns = $2::text AND checkpoint_id < $3 OR metadata -> 'parents' ->> $2 < $3
         AND position(':' IN substr(checkpoint_ns, length($2) + 1)) > 0)
     RETURNING checkpoint_ns AS ns`,
    [threadId, namespace, oldest.id],
  );
  const touched = [...new Set(namespaces.map(({ ns }) => ns))];
  for (const table of ['checkpoint_writes', 'checkpoint_task_paths']) {
    await tx.query(
      `DELETE FROM ${s}.${table} AS gone WHERE thread_id = $1 AND checkpoint_ns = ANY ($2::text[]) AND NOT EXISTS (
         SELECT 1 FROM ${s}.checkpoints AS kept WHERE kept.thread_id = gone.thread_id
           AND kept.checkpoint_ns = gone.checkpoint_ns AND kept.checkpoint_id = gone.checkpoint_id)`,
      [threadId, touched],
    );
  }
  await tx.query(
    `DELETE FROM ${s}.checkpoint_blobs AS gone WHERE thread_id = $1 AND checkpoint_ns = ANY ($2::text[]) AND NOT EXISTS (
       SELECT 1 FROM ${s}.checkpoints AS kept WHERE kept.thread_id = gone.thread_id
         AND kept.checkpoint_ns = gone.checkpoint_ns
         AND kept.checkpoint -> 'channel_versions' ->> gone.channel = gone.version)`,
    [threadId, touched],
  );
}
