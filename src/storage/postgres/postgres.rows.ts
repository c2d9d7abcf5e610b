import type { Approval } from '../../events/approval.js';
import type { PublicError, Usage } from '../../events/run-event.js';
import type { Run, RunStatus, Thread } from '../../runs/run.js';

export interface RunRow {
  readonly ordinal: number;
  readonly id: string;
  readonly thread_id: string;
  readonly agent: string;
  readonly tenant: string;
  readonly user_id: string;
  readonly roles: string;
  readonly message: string;
  readonly metadata: string;
  readonly message_id: string;
  readonly resume_of: string | null;
  readonly fingerprint: string | null;
  readonly status: string;
  readonly epoch: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly cancel_requested: boolean;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly usage: string | null;
  readonly approvals: string | null;
}

export interface ThreadRow {
  readonly ordinal: number;
  readonly id: string;
  readonly tenant: string;
  readonly user_id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly active_run_id: string | null;
}

export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    threadId: row.thread_id,
    agent: row.agent,
    principal: { userId: row.user_id, tenant: row.tenant, roles: JSON.parse(row.roles) as string[] },
    message: JSON.parse(row.message) as string,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    messageId: row.message_id,
    status: row.status as RunStatus,
    epoch: row.epoch,
    lastSeq: row.last_seq,
    firstSeq: row.first_seq,
    cancelRequested: row.cancel_requested,
    createdAt: row.created_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.error !== null && { error: JSON.parse(row.error) as PublicError }),
    ...(row.usage !== null && { usage: JSON.parse(row.usage) as Usage }),
    ...(row.resume_of !== null && { resumeOf: row.resume_of }),
    ...(row.approvals !== null && { approvals: JSON.parse(row.approvals) as Approval[] }),
  };
}

export function threadOf(row: ThreadRow): Thread {
  return {
    id: row.id,
    owner: { userId: row.user_id, tenant: row.tenant },
    title: JSON.parse(row.title) as string,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.active_run_id !== null && { activeRunId: row.active_run_id }),
  };
}
