import type { Approval } from '../../events/approval.js';
import type { PublicError, Usage } from '../../events/run-event.js';
import { titleOf, type Run, type RunStatus, type Thread } from '../../runs/run.js';
import type { NewRun } from '../../runs/run.store.js';
import { epochStep } from '../epoch.step.js';
import type { CreateRun, NewRunRow, RunRow } from './worker/run.operations.js';
import type { ThreadRow } from './worker/thread.operations.js';

export function creationOf(run: NewRun, now: number): CreateRun {
  const { thread, whenBusy, whenAwaiting, owner } = run;
  return {
    run: newRunRow(run, now),
    title: titleOf(run.message),
    thread,
    whenBusy,
    whenAwaiting,
    ...(owner && { owner: { ownerId: owner.ownerId, leaseUntil: now + owner.leaseMs, epoch: epochStep() } }),
  };
}

function newRunRow(run: NewRun, now: number): NewRunRow {
  const { id, threadId, agent, message, messageId, principal, idempotency } = run;
  return {
    id,
    threadId,
    agent,
    message,
    messageId,
    tenant: principal.tenant,
    userId: principal.userId,
    roles: JSON.stringify(principal.roles),
    metadata: JSON.stringify(run.metadata),
    resumeOf: run.resumeOf ?? null,
    idempotencyKey: idempotency?.key ?? null,
    fingerprint: idempotency?.fingerprint ?? null,
    now,
  };
}

export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    threadId: row.thread_id,
    agent: row.agent,
    principal: { userId: row.user_id, tenant: row.tenant, roles: JSON.parse(row.roles) as string[] },
    message: row.message,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    messageId: row.message_id,
    status: row.status as RunStatus,
    epoch: row.epoch,
    lastSeq: row.last_seq,
    firstSeq: row.first_seq,
    cancelRequested: row.cancel_requested === 1,
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
    title: row.title,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.active_run_id !== null && { activeRunId: row.active_run_id }),
  };
}
