import { newId } from '../../runs/run-ids.js';
import {
  copyParent,
  type CopiedIds,
  type ThreadCopy,
  type ThreadCopyResult,
} from '../../runs/thread-copy.js';
import { readParentColumn, toParentColumn } from '../parent-column.js';
import type { ThreadRow } from '../run-rows.js';
import type { Statements } from './postgres.database.js';
import { parseThread } from './postgres-rows.js';
import { lockThread, threadKeyQuery } from './thread-names.js';
import { threadQuery } from './thread-records.js';

interface SourceRow {
  readonly ordinal: number;
  readonly id: string;
  readonly resume_of: string | null;
  readonly parent_id: string | null;
  readonly bytes: number;
}

/** The keys of the threads, and the new ids of the runs. */
interface Copying {
  readonly source: string;
  readonly key: string;
  readonly ids: CopiedIds;
}

/** Columns of a run that its copy has as they are. */
const SAME =
  `agent, tenant, user_id, roles, message_id, status, epoch, lease_until, lease_ms, first_seq, last_seq, cancel_requested, created_at,
  started_at, ended_at, compacted, log_bytes, error, usage, metadata, message, approvals, awaiting_until, deaths, given, indexed`
    .split(',')
    .map((name) => name.trim());

/** Stores a copy of a thread, unless an attempt before this one has stored it. */
export async function copyThread(tx: Statements, s: string, copy: ThreadCopy): Promise<ThreadCopyResult> {
  const { owner, threadId, key } = copy;
  // Until the end no run of the thread starts or is deleted, and none is answered.
  await lockThread(tx, s, { owner, id: threadId });
  const attempted = await readThread(tx, s, key);
  if (attempted) return { outcome: 'copied', thread: parseThread(attempted) };
  const [thread] = await tx.query<{ id: string }>(threadKeyQuery(s), [owner.tenant, owner.userId, threadId]);
  if (!thread) return { outcome: 'no-thread' };
  const source = thread.id;
  // Held, so that none is compacted between two statements.
  const runs = await tx.query<SourceRow>(
    `SELECT ordinal, id, resume_of, parent_id, octet_length(message) + log_bytes AS bytes FROM ${s}.runs
     WHERE thread_id = $1 AND ended_at IS NOT NULL ORDER BY ordinal LIMIT $2 FOR SHARE`,
    [source, copy.maxRuns + 1],
  );
  const refusal = await findRefusal(tx, s, { copy, source, runs });
  if (refusal) return { outcome: refusal };
  const ids = new Map(runs.map(({ id }) => [id, newId()]));
  await copyRecord(tx, s, { source, key, ids });
  await copyRuns(tx, s, { source, key, ids }, runs);
  await copyStates(tx, s, { source, key, ids });
  await tx.query(
    `INSERT INTO ${s}.blobs (tenant, user_id, id, thread_id, media_type, name, bytes, created_at, data, object)
     SELECT tenant, user_id, id, $2, media_type, name, bytes, created_at, data, object FROM ${s}.blobs WHERE thread_id = $1`,
    [source, key],
  );
  return { outcome: 'copied', thread: parseThread((await readThread(tx, s, key)) as ThreadRow) };
}

async function readThread(tx: Statements, s: string, key: string): Promise<ThreadRow | undefined> {
  const [row] = await tx.query<ThreadRow>(`${threadQuery(s)} WHERE threads.id = $1`, [key]);
  return row;
}

async function findRefusal(
  tx: Statements,
  s: string,
  {
    copy: { owner, maxRuns, maxBytes, maxOwnerBytes },
    source,
    runs,
  }: { readonly copy: ThreadCopy; readonly source: string; readonly runs: readonly SourceRow[] },
): Promise<'too-large' | 'full' | undefined> {
  const [measured] = await tx.query<{ files: number; states: number }>(
    `SELECT coalesce((SELECT sum(bytes) FROM ${s}.blobs WHERE thread_id = $1), 0)::bigint AS files,
       (coalesce((SELECT sum(octet_length(blob)) FROM ${s}.checkpoint_blobs WHERE thread_id = $1), 0)
       + coalesce((SELECT sum(octet_length(blob)) FROM ${s}.checkpoint_writes WHERE thread_id = $1), 0)
       + coalesce((SELECT sum(pg_column_size(checkpoint)) FROM ${s}.checkpoints WHERE thread_id = $1), 0))::bigint AS states`,
    [source],
  );
  const { files = 0, states = 0 } = measured ?? {};
  const logs = runs.reduce((total, { bytes }) => total + bytes, 0);
  if (runs.length > maxRuns || logs + states + files > maxBytes) return 'too-large';
  if (files === 0) return undefined;
  // As when a file is stored: one at a time of an owner.
  const { tenant, userId } = owner;
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `${s}.blobs:${JSON.stringify([tenant, userId])}`,
  ]);
  const [held] = await tx.query<{ bytes: number }>(
    `SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM ${s}.blobs WHERE tenant = $1 AND user_id = $2`,
    [tenant, userId],
  );
  return (held?.bytes ?? 0) + files > maxOwnerBytes ? 'full' : undefined;
}

/** Copies the thread's record, with the words of a title that was given. */
async function copyRecord(tx: Statements, s: string, { source, key }: Copying): Promise<void> {
  await tx.query(
    `WITH copy AS (
       INSERT INTO ${s}.threads (id, tenant, user_id, title, metadata, has_branches, created_at, updated_at, read_at, ttl_ms, ttl_at)
       SELECT $2, tenant, user_id, title, metadata, has_branches, ${s}.now_ms(), ${s}.now_ms(), ${s}.now_ms(), ttl_ms, ${s}.now_ms()
       FROM ${s}.threads WHERE id = $1 RETURNING ordinal)
     INSERT INTO ${s}.run_words (ordinal, words)
     SELECT -copy.ordinal, words FROM copy, ${s}.threads AS source JOIN ${s}.run_words ON run_words.ordinal = -source.ordinal
     WHERE source.id = $1`,
    [source, key],
  );
}

/** Copies the runs in their order, with their logs and words. */
async function copyRuns(
  tx: Statements,
  s: string,
  { key, ids }: Copying,
  runs: readonly SourceRow[],
): Promise<void> {
  const resumed = runs.map(({ resume_of: id }) => (id === null ? null : (ids.get(id) ?? id)));
  const copies = await tx.query<{ id: string; ordinal: number }>(
    `INSERT INTO ${s}.runs (id, thread_id, copy_of, resume_of, parent_id, ${SAME.join(', ')})
     SELECT copy.id, $1, coalesce(runs.copy_of, runs.id), copy.resume_of, copy.parent_id, ${SAME.map((name) => `runs.${name}`).join(', ')}
     FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS copy (source, id, resume_of, parent_id, place)
     JOIN ${s}.runs ON runs.ordinal = copy.source ORDER BY copy.place RETURNING id, ordinal`,
    [
      key,
      runs.map(({ ordinal }) => ordinal),
      runs.map(({ id }) => ids.get(id) ?? id),
      resumed,
      runs.map((row) => toParentColumn({ parentId: copyParent(readParentColumn(row).parentId, ids) })),
    ],
  );
  const ordinals = new Map(copies.map(({ id, ordinal }) => [id, ordinal]));
  const places = [
    runs.map(({ ordinal }) => ordinal),
    runs.map(({ id }) => ordinals.get(ids.get(id) ?? id) ?? null),
  ];
  await tx.query(
    `INSERT INTO ${s}.batches (run, first_seq, last_seq, epoch, frames)
     SELECT copy.ordinal, first_seq, last_seq, epoch, replace(frames, copy.old_name, copy.new_name)
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS copy (source, ordinal, old_name, new_name)
     JOIN ${s}.batches ON batches.run = copy.source`,
    [...places, runs.map(({ resume_of: id }) => nameResumed(id)), resumed.map(nameResumed)],
  );
  await tx.query(
    `INSERT INTO ${s}.run_words (ordinal, words, answer)
     SELECT copy.ordinal, words, answer FROM unnest($1::bigint[], $2::bigint[]) AS copy (source, ordinal)
     JOIN ${s}.run_words ON run_words.ordinal = copy.source`,
    places,
  );
}

/** Returns the field of an event that names the run which is continued. */
function nameResumed(runId: string | null): string {
  return `"resumeOf":${JSON.stringify(runId)}`;
}

/** Copies what the copied runs have left of their graphs' states. In one statement: a run at work may prune checkpoints between two. */
async function copyStates(tx: Statements, s: string, { source, key, ids }: Copying): Promise<void> {
  await tx.query(
    `WITH kept AS MATERIALIZED (
       SELECT checkpoints.*, copied.id AS copy_id
       FROM ${s}.checkpoints LEFT JOIN unnest($3::text[], $4::text[]) AS copied (source, id) ON copied.source = metadata ->> 'run_id'
       WHERE thread_id = $1 AND (metadata ->> 'run_id' IS NULL OR copied.id IS NOT NULL)
     ), stored AS (
       INSERT INTO ${s}.checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
       SELECT $2, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,
         CASE WHEN copy_id IS NULL THEN metadata ELSE jsonb_set(metadata, '{run_id}', to_jsonb(copy_id)) END
       FROM kept
     ), versions AS (
       SELECT DISTINCT checkpoint_ns, named.key AS channel, named.value AS version
       FROM kept, jsonb_each_text(checkpoint -> 'channel_versions') AS named
     ), copied_values AS (
       INSERT INTO ${s}.checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
       SELECT $2, checkpoint_ns, channel, version, type, blob
       FROM ${s}.checkpoint_blobs JOIN versions USING (checkpoint_ns, channel, version) WHERE thread_id = $1
     ), writes AS (
       INSERT INTO ${s}.checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)
       SELECT $2, checkpoint_ns, checkpoint_id, task_id, idx, channel, writes.type, blob
       FROM ${s}.checkpoint_writes AS writes JOIN kept USING (checkpoint_ns, checkpoint_id) WHERE writes.thread_id = $1
     )
     INSERT INTO ${s}.checkpoint_task_paths (thread_id, checkpoint_ns, checkpoint_id, task_id, path)
     SELECT $2, checkpoint_ns, checkpoint_id, task_id, path
     FROM ${s}.checkpoint_task_paths AS paths JOIN kept USING (checkpoint_ns, checkpoint_id) WHERE paths.thread_id = $1`,
    [source, key, [...ids.keys()], [...ids.values()]],
  );
}
