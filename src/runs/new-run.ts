import type { Run } from './run.js';
import type { NewRun } from './run.store.js';

/** The fields that a storage adds to a new run. */
export interface Creation {
  /** By the storage's clock. */
  readonly at: number;
  /** That of the thread the run is in. */
  readonly threadKey: string;
  /** That of the admitted run. */
  readonly parentId?: string | null | undefined;
  /** That of the owner who has it from the start; absent: it waits for one. */
  readonly epoch?: number | undefined;
}

/** The run that a storage has made, as it would read it: it knows all of it, and need not ask for it again. Pure. */
export function toCreatedRun(newRun: NewRun, { at, threadKey, parentId, epoch }: Creation): Run {
  const { id, threadId, agent, principal, message, metadata, given, messageId, resumeOf, traceparent } =
    newRun;
  const { userId, tenant, roles } = principal;
  return {
    id,
    threadId,
    threadKey,
    agent,
    principal: { userId, tenant, roles },
    message,
    metadata,
    messageId,
    lastSeq: 0,
    firstSeq: 1,
    cancelRequested: false,
    createdAt: at,
    ...(newRun.delayMs && { notBefore: at + newRun.delayMs }),
    ...(given !== undefined && { given }),
    ...(resumeOf !== undefined && { resumeOf }),
    ...(parentId !== undefined && { parentId }),
    ...(traceparent !== undefined && { traceparent }),
    ...(epoch === undefined ? { status: 'pending', epoch: 0 } : { status: 'running', epoch, startedAt: at }),
  };
}

/** Returns the ids of the files that a run brings to its thread. One that continues another brings none. Pure. */
export function listFileIds({ given, resumeOf }: Pick<NewRun, 'given' | 'resumeOf'>): string[] {
  if (resumeOf !== undefined) return [];
  const ids = (given?.files ?? []).flatMap(({ fileId }) => (fileId === undefined ? [] : [fileId]));
  return [...new Set(ids)].toSorted();
}

/**
 * Returns the key of the thread that a run makes. An id that was minted for it is good for that. Any other id was thought of by a client:
 * other owners may have it too, and it may come back after the thread was deleted. The run's id never does. Pure.
 */
export function newThreadKey({ id, thread, threadId }: Pick<NewRun, 'id' | 'thread' | 'threadId'>): string {
  return thread === 'new' ? threadId : id;
}
