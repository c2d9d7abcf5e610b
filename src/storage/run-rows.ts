import type { GivenInput } from '../agents/agent.js';
import { readInputs, readStatus } from '../events/earlier-records.js';
import { findExpiry } from '../events/requested-input.js';
import type { PublicError, Usage } from '../events/run-event.js';
import type { BranchNode } from '../runs/branches.js';
import type { GivenFeedback } from '../runs/feedback.js';
import type { RunEnding } from '../runs/event-log.js';
import type { RunMessage } from '../runs/run-messages.js';
import type { NewRun, RenewResult } from '../runs/run.store.js';
import type { ListedRun, Run, RunStatus, Thread } from '../runs/run.js';
import { readParentColumn } from './parent-column.js';

// Rows and how they are read, the same for every database. What is written as JSON text is named there.

/** A row of `runs`, as its columns are. */
export interface RunRow {
  readonly ordinal: number;
  readonly id: string;
  /** The thread's key. */
  readonly thread_id: string;
  /** Name that its owner gave it; null if it is the key. */
  readonly thread_name: string | null;
  readonly agent: string;
  readonly tenant: string;
  readonly user_id: string;
  /** JSON. */
  readonly roles: string;
  readonly message: string;
  /** JSON. */
  readonly metadata: string;
  /** JSON. */
  readonly given: string | null;
  readonly message_id: string;
  readonly resume_of: string | null;
  /** Id of the run whose `resume_of` names this one. Absent if the query did not ask for it. */
  readonly continued_by?: string | null;
  /** Null: the run before it in time, if there is one. Empty: none. */
  readonly parent_id: string | null;
  readonly copy_of: string | null;
  readonly traceparent: string | null;
  readonly not_before: number | null;
  readonly fingerprint: string | null;
  readonly status: string;
  readonly epoch: number;
  readonly first_seq: number;
  readonly last_seq: number;
  /** 0 or 1 if the database has no booleans. */
  readonly cancel_requested: boolean | number;
  readonly deaths: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** JSON, as the next two. */
  readonly error: string | null;
  readonly usage: string | null;
  readonly approvals: string | null;
  /** JSON: {@link RunMessage}s. */
  readonly messages: string | null;
  /** JSON: a {@link GivenFeedback}. */
  readonly feedback: string | null;
  readonly feedback_at: number | null;
}

/** A row of `threads`. */
export interface ThreadRow {
  readonly ordinal: number;
  /** The key. */
  readonly id: string;
  /** Name that its owner gave it; null if it is the key. */
  readonly name: string | null;
  readonly tenant: string;
  readonly user_id: string;
  readonly title: string;
  /** JSON. */
  readonly metadata: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly active_run_id: string | null;
  /** 0 or 1 if the database has no booleans, as for the next field. */
  readonly pinned: boolean | number;
  readonly archived: boolean | number;
  /** The last change that its owner has seen. Null: everything. */
  readonly read_at: number | null;
  readonly latest_status: string | null;
  /** 0 or 1 if the database has no booleans. */
  readonly has_branches: boolean | number;
  /** Null: it has no lifetime of its own. */
  readonly ttl_ms: number | null;
  /** Time at which it was given. */
  readonly ttl_at: number | null;
}

/** Reads a column of text that people have written: a database may have to encode some of it. */
export type ReadText = (column: string) => string;

const asItIs: ReadText = (column) => column;

export function toRun(row: RunRow, readText: ReadText = asItIs): Run {
  return {
    ...toFacts(row),
    message: readText(row.message),
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    ...(row.given !== null && { given: JSON.parse(row.given) as GivenInput }),
    ...(row.traceparent !== null && { traceparent: row.traceparent }),
    ...(row.not_before !== null && { notBefore: row.not_before }),
    ...(row.approvals !== null && { inputs: readInputs(row.approvals) }),
    ...(row.messages !== null && { messages: JSON.parse(row.messages) as readonly RunMessage[] }),
  };
}

/** The place of a run in its thread. */
export type NodeRow = Pick<RunRow, 'id' | 'parent_id' | 'copy_of'>;

export function toNode(row: NodeRow): BranchNode {
  return { id: row.id, ...readParentColumn(row), ...(row.copy_of !== null && { copyOf: row.copy_of }) };
}

/** The columns of a run in a list, and the title of its thread. */
export type ListedRunRow = Omit<RunRow, UnlistedColumn> & { readonly title: string };

type UnlistedColumn =
  'message' | 'metadata' | 'given' | 'traceparent' | 'not_before' | 'approvals' | 'messages' | 'fingerprint';

export function toListedRun(row: ListedRunRow, readText: ReadText = asItIs): ListedRun {
  return { ...toFacts(row), title: readText(row.title) };
}

function toFacts(row: Omit<RunRow, UnlistedColumn>): Omit<ListedRun, 'title'> {
  return {
    id: row.id,
    threadId: row.thread_name ?? row.thread_id,
    threadKey: row.thread_id,
    agent: row.agent,
    principal: { userId: row.user_id, tenant: row.tenant, roles: JSON.parse(row.roles) as string[] },
    messageId: row.message_id,
    status: readStatus(row.status) as RunStatus,
    epoch: row.epoch,
    lastSeq: row.last_seq,
    firstSeq: row.first_seq,
    cancelRequested: Boolean(row.cancel_requested),
    ...(row.deaths > 0 && { deaths: row.deaths }),
    createdAt: row.created_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.error !== null && { error: JSON.parse(row.error) as PublicError }),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) as Usage }),
    ...(row.resume_of !== null && { resumeOf: row.resume_of }),
    ...(row.continued_by != null && { continuedBy: row.continued_by }),
    ...readParentColumn(row),
    ...(row.feedback !== null && {
      feedback: { ...(JSON.parse(row.feedback) as GivenFeedback), at: row.feedback_at ?? 0 },
    }),
    ...(row.copy_of !== null && { copyOf: row.copy_of }),
  };
}

/** Returns the result of a renewal. `renewed` is undefined if the run has another owner. */
export function toRenewResult(
  runId: string,
  renewed: { readonly cancelRequested: boolean; readonly messageWaits: boolean } | undefined,
): RenewResult {
  if (!renewed) return { runId, outcome: 'fenced', cancelRequested: false };
  const { cancelRequested, messageWaits } = renewed;
  return { runId, outcome: 'renewed', cancelRequested, ...(messageWaits && { messageWaits }) };
}

export function toThread(row: ThreadRow, readText: ReadText = asItIs): Thread {
  return {
    ...toThreadName(row),
    title: readText(row.title),
    ...(row.metadata !== null && { metadata: JSON.parse(row.metadata) as Record<string, unknown> }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.active_run_id !== null && { activeRunId: row.active_run_id }),
    ...(Boolean(row.pinned) && { pinned: true }),
    ...(Boolean(row.archived) && { archived: true }),
    ...(row.read_at !== null && row.read_at < row.updated_at && { unread: true }),
    ...(row.latest_status !== null &&
      readStatus(row.latest_status) === 'awaiting-input' && { waiting: true }),
    ...(row.has_branches && { hasBranches: true }),
    ...toLifetime({ ttlMs: row.ttl_ms, givenAt: row.ttl_at, updatedAt: row.updated_at }),
  };
}

/** Returns the lifetime of a thread, and its end as long as nothing happens. */
export function toLifetime({
  ttlMs,
  givenAt,
  updatedAt,
}: {
  readonly ttlMs: number | null | undefined;
  readonly givenAt: number | null | undefined;
  readonly updatedAt: number;
}): Pick<Thread, 'ttlMs' | 'expiresAt'> {
  if (ttlMs === null || ttlMs === undefined) return {};
  return { ttlMs, expiresAt: Math.max(updatedAt, givenAt ?? 0) + ttlMs };
}

/** Returns the thread as its owner names it. */
export function toThreadName({
  id,
  name,
  tenant,
  user_id: userId,
}: Pick<ThreadRow, 'id' | 'name' | 'tenant' | 'user_id'>): Pick<Thread, 'id' | 'owner'> {
  return { id: name ?? id, owner: { userId, tenant } };
}

/** Columns of a run's row when it is stored, apart from its thread and its owner. */
export interface NewRunColumns {
  readonly id: string;
  readonly agent: string;
  readonly tenant: string;
  readonly userId: string;
  readonly roles: string;
  readonly message: string;
  readonly metadata: string;
  readonly given: string | null;
  readonly messageId: string;
  readonly resumeOf: string | null;
  readonly traceparent: string | null;
  readonly idempotencyKey: string | null;
  readonly fingerprint: string | null;
}

export function toNewRunColumns(run: NewRun): NewRunColumns {
  const { id, agent, message, messageId, principal, idempotency } = run;
  return {
    id,
    agent,
    message,
    messageId,
    tenant: principal.tenant,
    userId: principal.userId,
    roles: JSON.stringify(principal.roles),
    metadata: JSON.stringify(run.metadata),
    given: run.given === undefined ? null : JSON.stringify(run.given),
    resumeOf: run.resumeOf ?? null,
    traceparent: run.traceparent ?? null,
    idempotencyKey: idempotency?.key ?? null,
    fingerprint: idempotency?.fingerprint ?? null,
  };
}

/** Columns of a run's row when it ends, apart from the time. */
export interface EndingColumns {
  readonly outcome: string;
  readonly error: string | null;
  readonly usage: string;
  readonly approvals: string | null;
  readonly awaitingUntil: number | null;
}

export function toEndingColumns({ outcome, error, usage, inputs }: RunEnding): EndingColumns {
  return {
    outcome,
    error: error ? JSON.stringify(error) : null,
    usage: JSON.stringify(usage),
    approvals: inputs ? JSON.stringify(inputs) : null,
    awaitingUntil: (inputs && findExpiry(inputs)) ?? null,
  };
}
