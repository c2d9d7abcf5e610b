import type { DatabaseSync } from 'node:sqlite';
import { KEPT_RUNS, type CheckpointKeeping } from '../../checkpoint-keeping.ts';
import { CHECKPOINTS_BY_NAME, type CheckpointName } from './checkpoint-rows.ts';

type Row = Readonly<Record<string, unknown>>;

const TABLES = ['checkpoints', 'checkpoint_writes', 'checkpoint_values'] as const;

/**
 * Deletes what a saved checkpoint replaces: in its namespace the checkpoints older than the `keep` newest, with their writes and
 * with the values that the rest does not refer to, and the namespaces of the subgraphs that worked on a task of one of those. In the
 * namespace of the graph itself the last checkpoint of each run remains, where the thread can be continued, as long as all together take no more
 * than `maxBytes`: the oldest go first. The saved one stays, even if the clock of its process is behind.
 *
 * A subgraph that waits for a person, or that a dead process left in the middle, is safe: it belongs to the last checkpoint of its
 * parent's run, which makes no other before the task is over. Every statement reads one namespace by an index.
 */
export function pruningOn(db: DatabaseSync) {
  const replaced = db.prepare(`
    SELECT checkpoint_id AS id FROM ${CHECKPOINTS_BY_NAME} WHERE thread_id = :threadId AND namespace = :namespace
    ORDER BY checkpoint_id DESC LIMIT -1 OFFSET :keep`);
  const replacedOfRuns = db.prepare(`
    SELECT checkpoint_id AS id FROM (
      SELECT checkpoint_id, run_id, row_number() OVER (ORDER BY checkpoint_id DESC) AS place,
        row_number() OVER (PARTITION BY run_id ORDER BY checkpoint_id DESC) AS place_in_run
      FROM checkpoints INDEXED BY checkpoints_of_runs WHERE thread_id = :threadId AND namespace = '')
    WHERE place > :keep AND place > :states
      AND (run_id IS NULL OR place_in_run > 1 OR place > :keep + :states + ${KEPT_RUNS})`);
  // The state that would have gone now if it were not kept: the graphs inside it have nothing to go on from there.
  const outlived = db.prepare(`
    SELECT checkpoint_id AS id FROM (
      SELECT checkpoint_id, row_number() OVER (ORDER BY checkpoint_id DESC) AS place,
        row_number() OVER (PARTITION BY run_id ORDER BY checkpoint_id DESC) AS place_in_run
      FROM checkpoints INDEXED BY checkpoints_of_runs WHERE thread_id = :threadId AND namespace = '')
    WHERE place = :keep + 1 AND place_in_run > 1`);
  const measure = db.prepare(`
    SELECT coalesce(sum(bytes), 0) AS bytes FROM (
      SELECT sum(length(value)) AS bytes FROM checkpoint_values WHERE thread_id = :threadId AND namespace = ''
      UNION ALL SELECT sum(length(value)) FROM checkpoint_writes WHERE thread_id = :threadId AND namespace = ''
      UNION ALL SELECT sum(length(checkpoint) + length(metadata)) FROM checkpoints
        WHERE thread_id = :threadId AND namespace = '')`);
  // A value counts for the newest checkpoint that refers to it, with which it would go.
  const overfull = db.prepare(`
    SELECT checkpoint_id AS id FROM (
      SELECT kept.checkpoint_id, row_number() OVER newest AS place, sum(
        length(kept.checkpoint) + length(kept.metadata) + coalesce(sizes.bytes, 0) + coalesce(written.bytes, 0)) OVER newest AS bytes
      FROM checkpoints AS kept LEFT JOIN (
        SELECT newest_id, sum(length(stored.value)) AS bytes FROM (
          SELECT max(checkpoint_id) AS newest_id, json_extract(named.value, '$[0]') AS name,
            json_extract(named.value, '$[1]') AS number
          FROM checkpoints, json_each(checkpoints.channels) AS named
          WHERE thread_id = :threadId AND namespace = '' GROUP BY name, number) AS used
        JOIN checkpoint_values AS stored ON stored.thread_id = :threadId AND stored.namespace = ''
          AND stored.channel = used.name AND stored.version = used.number
        GROUP BY newest_id) AS sizes ON sizes.newest_id = kept.checkpoint_id
      LEFT JOIN (
        SELECT checkpoint_id, sum(length(value)) AS bytes FROM checkpoint_writes
        WHERE thread_id = :threadId AND namespace = '' GROUP BY checkpoint_id) AS written
        ON written.checkpoint_id = kept.checkpoint_id
      WHERE kept.thread_id = :threadId AND kept.namespace = ''
      WINDOW newest AS (ORDER BY kept.checkpoint_id DESC))
    WHERE place > :keep AND bytes > :maxBytes`);
  const deleteOne = [CHECKPOINTS_BY_NAME, 'checkpoint_writes'].map((table) =>
    db.prepare(
      `DELETE FROM ${table} WHERE thread_id = :threadId AND namespace = :namespace AND checkpoint_id = :id`,
    ),
  );
  const pruneValues = db.prepare(`
    DELETE FROM checkpoint_values WHERE thread_id = :threadId AND namespace = :namespace AND (channel, version) NOT IN (
      SELECT json_extract(kept.value, '$[0]'), json_extract(kept.value, '$[1]')
      FROM checkpoints, json_each(checkpoints.channels) AS kept
      WHERE thread_id = :threadId AND namespace = :namespace)`);
  const orphaned = db.prepare(`
    SELECT DISTINCT namespace FROM checkpoints INDEXED BY checkpoints_of_origin
    WHERE thread_id = :threadId AND origin_namespace = :namespace AND origin_id = :id`);
  // Also what is below it: `|` divides the steps of a namespace, and `}` is the character after it.
  const deleteNamespace = TABLES.map((table) =>
    db.prepare(`
      DELETE FROM ${table} WHERE thread_id = :threadId
        AND (namespace = :namespace OR (namespace > :namespace || '|' AND namespace < :namespace || '}'))`),
  );
  const ofRun = db.prepare(`
    SELECT namespace, json_group_array(checkpoint_id) AS ids FROM checkpoints
    WHERE thread_id = :threadId AND run_id = :runId GROUP BY namespace`);
  const deleteThread = TABLES.map((table) => db.prepare(`DELETE FROM ${table} WHERE thread_id = ?`));

  const listOverfull = (threadId: string, { keep, maxBytes }: CheckpointKeeping) =>
    Number(measure.get({ threadId })?.['bytes']) > maxBytes ? overfull.all({ threadId, keep, maxBytes }) : [];

  const removeInside = (threadId: string, namespace: string, id: unknown) => {
    for (const row of orphaned.all({ threadId, namespace, id: id as string })) {
      const orphan = { threadId, namespace: row['namespace'] as string };
      for (const statement of deleteNamespace) statement.run(orphan);
    }
  };

  const remove = ({ threadId, namespace, checkpointId }: CheckpointName, rows: readonly Row[]) => {
    const ids = rows.map((row) => row['id'] as string).filter((id) => id !== checkpointId);
    if (ids.length === 0) return;
    for (const id of ids) {
      for (const statement of deleteOne) statement.run({ threadId, namespace, id });
      removeInside(threadId, namespace, id);
    }
    pruneValues.run({ threadId, namespace });
  };

  return {
    prune(saved: CheckpointName, keeping: CheckpointKeeping): void {
      const { threadId, namespace } = saved;
      const { keep, states } = keeping;
      if (namespace !== '') return remove(saved, replaced.all({ threadId, namespace, keep }));
      // Most threads have no more than what stays in any case.
      if (!replaced.get({ threadId, namespace, keep })) return;
      if (states > 0) for (const { id } of outlived.all({ threadId, keep })) removeInside(threadId, '', id);
      remove(saved, replacedOfRuns.all({ threadId, keep, states }));
      remove(saved, listOverfull(threadId, keeping));
    },

    /** Deletes the checkpoints that a run has stored, of its graph and of the subgraphs in it. */
    deleteRun(threadId: string, runId: string): void {
      for (const row of ofRun.all({ threadId, runId })) {
        const namespace = row['namespace'] as string;
        const ids = JSON.parse(row['ids'] as string) as readonly string[];
        remove(
          { threadId, namespace, checkpointId: '' },
          ids.map((id) => ({ id })),
        );
      }
    },

    deleteAll(threadId: string): void {
      for (const statement of deleteThread) statement.run(threadId);
    },
  };
}
