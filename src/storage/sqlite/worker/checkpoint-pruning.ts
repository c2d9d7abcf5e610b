import type { DatabaseSync } from 'node:sqlite';

const TABLES = ['checkpoints', 'checkpoint_writes', 'checkpoint_values'] as const;

/**
 * Deletes what a saved checkpoint replaces: in its namespace the checkpoints older than the `keep` newest, with their writes and
 * with the values that the rest does not refer to, and the namespaces of the subgraphs that worked on a task of one of those.
 *
 * A subgraph that waits for a person, or that a dead process left in the middle, is safe: it belongs to the newest checkpoint of its
 * parent, which makes no other before the task is over. Every statement reads one namespace by an index.
 */
export function pruningOn(db: DatabaseSync) {
  const oldestKept = db.prepare(`
    SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND namespace = ?
    ORDER BY checkpoint_id DESC LIMIT 1 OFFSET ?`);
  const [pruneCheckpoints, pruneWrites] = (['checkpoints', 'checkpoint_writes'] as const).map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE thread_id = ? AND namespace = ? AND checkpoint_id < ?`),
  ) as [Statement, Statement];
  const pruneValues = db.prepare(`
    DELETE FROM checkpoint_values WHERE thread_id = :threadId AND namespace = :namespace AND (channel, version) NOT IN (
      SELECT json_extract(kept.value, '$[0]'), json_extract(kept.value, '$[1]')
      FROM checkpoints, json_each(checkpoints.channels) AS kept
      WHERE thread_id = :threadId AND namespace = :namespace)`);
  const orphaned = db.prepare(`
    SELECT DISTINCT namespace FROM checkpoints INDEXED BY checkpoints_of_origin
    WHERE thread_id = ? AND origin_namespace = ? AND origin_id < ?`);
  // Also what is below it: `|` divides the steps of a namespace, and `}` is the character after it.
  const deleteNamespace = TABLES.map((table) =>
    db.prepare(`
      DELETE FROM ${table} WHERE thread_id = :threadId
        AND (namespace = :namespace OR (namespace > :namespace || '|' AND namespace < :namespace || '}'))`),
  );
  const deleteThread = TABLES.map((table) => db.prepare(`DELETE FROM ${table} WHERE thread_id = ?`));

  return {
    prune(threadId: string, namespace: string, keep: number): void {
      const oldest = oldestKept.get(threadId, namespace, keep - 1)?.['checkpoint_id'];
      if (oldest === undefined) return;
      if (pruneCheckpoints.run(threadId, namespace, oldest).changes === 0) return;
      pruneWrites.run(threadId, namespace, oldest);
      pruneValues.run({ threadId, namespace });
      for (const row of orphaned.all(threadId, namespace, oldest)) {
        const orphan = { threadId, namespace: row['namespace'] as string };
        for (const statement of deleteNamespace) statement.run(orphan);
      }
    },

    deleteAll(threadId: string): void {
      for (const statement of deleteThread) statement.run(threadId);
    },
  };
}

type Statement = ReturnType<DatabaseSync['prepare']>;
