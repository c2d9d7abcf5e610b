import type { Run } from './run.js';
import type { NewRun } from './run.store.js';

/** What a storage adds to what was said of a run. */
export interface Creation {
  /** By the storage's clock. */
  readonly at: number;
  /** That of the owner who has it from the start; absent: it waits for one. */
  readonly epoch?: number | undefined;
}

/** The run that a storage has made, as it would read it: it knows all of it, and need not ask for it again. Pure. */
export function runAsCreated(newRun: NewRun, { at, epoch }: Creation): Run {
  const { id, threadId, agent, principal, message, metadata, messageId, resumeOf } = newRun;
  const { userId, tenant, roles } = principal;
  return {
    id,
    threadId,
    agent,
    principal: { userId, tenant, roles },
    message,
    metadata,
    messageId,
    lastSeq: 0,
    firstSeq: 1,
    cancelRequested: false,
    createdAt: at,
    ...(resumeOf !== undefined && { resumeOf }),
    ...(epoch === undefined ? { status: 'pending', epoch: 0 } : { status: 'running', epoch, startedAt: at }),
  };
}
