import { KEPT_RUNS, type CheckpointKeeping } from '../checkpoint-keeping.js';
import type { Statements } from './postgres.database.js';

/** The checkpoint that was saved. */
interface Saved {
  readonly threadId: string;
  readonly namespace: string;
  readonly checkpointId: string;
}

/**
 * Deletes what a saved checkpoint replaces: in its namespace the checkpoints older than the `keep` newest, with their writes and
 * with the values that the rest does not refer to, and the namespaces of the subgraphs that worked for one of those. A checkpoint
 * refers to whole values, so keeping all of them costs bytes in the square of a thread's length. In the namespace of the graph itself the
 * last checkpoint of each run remains, where the thread can be continued, as long as all together take no more than `maxBytes`: the oldest go first.
 * The saved one stays, even if the clock of its process is behind.
 */
export async function pruneCheckpoints(
  tx: Statements,
  s: string,
  saved: Saved,
  keeping: CheckpointKeeping,
): Promise<void> {
  const { ids, outlived, kept } = await listReplaced(tx, s, saved, keeping);
  await remove(tx, s, { saved, ids, outlived });
  // In a thread's first run nothing can be too much: that is asked for in no round trip of its own.
  if (saved.namespace === '' && kept > keeping.keep)
    await remove(tx, s, { saved, ids: await listOverfull(tx, s, saved, keeping) });
}

/**
 * Finds the checkpoints that the saved one replaces, the one that it would replace if it were not kept, and the number of those that remain. The graphs
 * inside that one have nothing to go on from there.
 */
async function listReplaced(
  tx: Statements,
  s: string,
  { threadId, namespace, checkpointId }: Saved,
  { keep, states }: CheckpointKeeping,
): Promise<{ readonly ids: readonly string[]; readonly outlived: readonly string[]; readonly kept: number }> {
  const [counted] = await tx.query<{ ids: string[]; outlived: string[]; kept: number }>(
    `SELECT coalesce(array_agg(checkpoint_id) FILTER (WHERE is_replaced), '{}') AS ids,
       coalesce(array_agg(checkpoint_id) FILTER (WHERE is_outlived AND NOT is_replaced), '{}') AS outlived,
       (count(*) FILTER (WHERE NOT is_replaced))::int AS kept
     FROM (SELECT checkpoint_id, $5::int > 0 AND place = $3::int + 1 AND place_in_run > 1 AS is_outlived,
       place > greatest($3::int, $5::int)
       AND (run_id IS NULL OR place_in_run > 1 OR place > $3::int + $5::int + ${KEPT_RUNS})
       AND checkpoint_id <> $4 AS is_replaced FROM (
       SELECT checkpoint_id, run_id, row_number() OVER (ORDER BY checkpoint_id DESC) AS place,
         row_number() OVER (PARTITION BY run_id ORDER BY checkpoint_id DESC) AS place_in_run
       FROM (
         SELECT checkpoint_id, CASE WHEN checkpoint_ns = '' THEN metadata ->> 'run_id' END AS run_id
         FROM ${s}.checkpoints WHERE thread_id = $1 AND checkpoint_ns = $2) AS saved) AS placed) AS judged`,
    [threadId, namespace, keep, checkpointId, states],
  );
  return counted ?? { ids: [], outlived: [], kept: 0 };
}

/** A value counts for the newest checkpoint that refers to it, with which it would go. */
async function listOverfull(
  tx: Statements,
  s: string,
  { threadId, checkpointId }: Saved,
  { keep, maxBytes }: CheckpointKeeping,
): Promise<readonly string[]> {
  const overfull = await tx.query<{ id: string }>(
    `SELECT checkpoint_id AS id FROM (
       SELECT kept.checkpoint_id, row_number() OVER newest AS place,
         sum(pg_column_size(kept.checkpoint) + pg_column_size(kept.metadata)
           + coalesce(sizes.bytes, 0) + coalesce(written.bytes, 0)) OVER newest AS bytes
       FROM ${s}.checkpoints AS kept LEFT JOIN (
         SELECT newest_id, sum(octet_length(stored.blob)) AS bytes FROM (
           SELECT max(checkpoint_id) AS newest_id, named.key AS name, named.value AS number
           FROM ${s}.checkpoints, jsonb_each_text(checkpoint -> 'channel_versions') AS named
           WHERE thread_id = $1 AND checkpoint_ns = '' GROUP BY named.key, named.value) AS used
         JOIN ${s}.checkpoint_blobs AS stored ON stored.thread_id = $1 AND stored.checkpoint_ns = ''
           AND stored.channel = used.name AND stored.version = used.number
         GROUP BY newest_id) AS sizes ON sizes.newest_id = kept.checkpoint_id
       LEFT JOIN (
         SELECT checkpoint_id, sum(octet_length(blob)) AS bytes FROM ${s}.checkpoint_writes
         WHERE thread_id = $1 AND checkpoint_ns = '' GROUP BY checkpoint_id) AS written
         ON written.checkpoint_id = kept.checkpoint_id
       WHERE kept.thread_id = $1 AND kept.checkpoint_ns = ''
       WINDOW newest AS (ORDER BY kept.checkpoint_id DESC)) AS measured
     WHERE (SELECT sum(bytes) FROM (
         SELECT sum(octet_length(blob)) AS bytes FROM ${s}.checkpoint_blobs WHERE thread_id = $1 AND checkpoint_ns = ''
         UNION ALL SELECT sum(octet_length(blob)) FROM ${s}.checkpoint_writes WHERE thread_id = $1 AND checkpoint_ns = ''
         UNION ALL SELECT sum(pg_column_size(checkpoint) + pg_column_size(metadata)) FROM ${s}.checkpoints
           WHERE thread_id = $1 AND checkpoint_ns = '') AS sizes) > $3::bigint
       AND place > $2::int AND bytes > $3::bigint AND checkpoint_id <> $4`,
    [threadId, keep, maxBytes, checkpointId],
  );
  return overfull.map(({ id }) => id);
}

/** Deletes the checkpoints that a run has stored, of its graph and of the subgraphs in it. */
export async function deleteRunCheckpoints(
  tx: Statements,
  s: string,
  { threadId, runId }: { readonly threadId: string; readonly runId: string },
): Promise<void> {
  const stored = await tx.query<{ namespace: string; ids: string[] }>(
    `SELECT checkpoint_ns AS namespace, array_agg(checkpoint_id) AS ids FROM ${s}.checkpoints
     WHERE thread_id = $1 AND metadata ->> 'run_id' = $2 GROUP BY checkpoint_ns`,
    [threadId, runId],
  );
  for (const { namespace, ids } of stored)
    await remove(tx, s, { saved: { threadId, namespace, checkpointId: '' }, ids });
}

async function remove(
  tx: Statements,
  s: string,
  {
    saved: { threadId, namespace },
    ids,
    outlived = [],
  }: { readonly saved: Saved; readonly ids: readonly string[]; readonly outlived?: readonly string[] },
): Promise<void> {
  if (ids.length + outlived.length === 0) return;
  // A subgraph names in `parents` the checkpoints, by namespace, whose tasks it worked on. Without a task in its name, after the
  // colon, it is one that remembers its state from run to run, and stays.
  const deleted = await tx.query<{ ns: string; versions: Record<string, string | number> | null }>(
    `DELETE FROM ${s}.checkpoints WHERE thread_id = $1
       AND (checkpoint_ns = $2::text AND checkpoint_id = ANY ($3::text[]) OR metadata -> 'parents' ->> $2 = ANY ($4::text[])
         AND position(':' IN substr(checkpoint_ns, length($2) + 1)) > 0)
     RETURNING checkpoint_ns AS ns, checkpoint -> 'channel_versions' AS versions`,
    [threadId, namespace, ids, [...ids, ...outlived]],
  );
  const touched = [...new Set(deleted.map(({ ns }) => ns))];
  for (const table of ['checkpoint_writes', 'checkpoint_task_paths']) {
    await tx.query(
      `DELETE FROM ${s}.${table} AS gone WHERE thread_id = $1 AND checkpoint_ns = ANY ($2::text[]) AND NOT EXISTS (
         SELECT 1 FROM ${s}.checkpoints AS kept WHERE kept.thread_id = gone.thread_id
           AND kept.checkpoint_ns = gone.checkpoint_ns AND kept.checkpoint_id = gone.checkpoint_id)`,
      [threadId, touched],
    );
  }
  await deleteValues(tx, s, { threadId, touched, deleted });
}

/** Deletes the values of deleted checkpoints to which no other refers. Only those are looked at, and each kept checkpoint once. */
async function deleteValues(
  tx: Statements,
  s: string,
  {
    threadId,
    touched,
    deleted,
  }: {
    readonly threadId: string;
    readonly touched: readonly string[];
    readonly deleted: readonly {
      readonly ns: string;
      readonly versions: Record<string, string | number> | null;
    }[];
  },
): Promise<void> {
  const values = deleted.flatMap(({ ns, versions }) =>
    Object.entries(versions ?? {}).map(([channel, version]) => ({ ns, channel, version: String(version) })),
  );
  await tx.query(
    `WITH kept AS MATERIALIZED (
       SELECT checkpoint_ns AS ns, named.key AS channel, named.value AS version
       FROM ${s}.checkpoints, jsonb_each_text(checkpoint -> 'channel_versions') AS named
       WHERE thread_id = $1 AND checkpoint_ns = ANY ($2::text[])),
     unnamed AS MATERIALIZED (
       SELECT * FROM unnest($3::text[], $4::text[], $5::text[]) AS named (ns, channel, version)
       EXCEPT SELECT ns, channel, version FROM kept)
     DELETE FROM ${s}.checkpoint_blobs AS gone USING unnamed
     WHERE gone.thread_id = $1 AND gone.checkpoint_ns = unnamed.ns AND gone.channel = unnamed.channel
       AND gone.version = unnamed.version`,
    [
      threadId,
      touched,
      values.map(({ ns }) => ns),
      values.map(({ channel }) => channel),
      values.map(({ version }) => version),
    ],
  );
}
