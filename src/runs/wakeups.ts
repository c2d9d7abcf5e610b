import type { Owner } from '../principal.js';
import type { Run } from './run.js';

/**
 * Topic of a hint: a run's log has grown (`log`), a run's owner has to act (`control`), a thread has another run (`thread`), a run
 * waits for an owner (`pending`), an operator has switched something (`switches`) or accepted a tool of an MCP server (`mcp-pins`).
 */
export type WakeupTopic =
  `log:${string}` | `control:${string}` | `thread:${string}` | 'pending' | 'switches' | 'mcp-pins';

/**
 * Port: hints that something may have changed, across all processes that share a storage. A hint may be lost,
 * repeated, or late: a listener re-reads the truth, and re-reads it now and then without any hint.
 */
export abstract class Wakeups {
  /** Never throws and never waits. */
  abstract notify(topic: WakeupTopic): void;

  /** Calls `wake` at each hint, in a later turn than the `notify`; returns what stops it. */
  abstract listen(topic: WakeupTopic, wake: () => void): () => void;
}

/** A run was created: tells the thread's followers, and possible owners if the run waits for one. */
export function announceRun(
  wakeups: Wakeups,
  { threadId, principal, status }: Pick<Run, 'threadId' | 'principal' | 'status'>,
): void {
  if (status === 'pending') wakeups.notify('pending');
  wakeups.notify(threadTopic(principal, threadId));
}

/** Names an owner's thread, also one that is not there yet: another owner's thread of the same id is another topic. */
export function threadTopic({ tenant, userId }: Owner, threadId: string): WakeupTopic {
  return `thread:${JSON.stringify([tenant, userId, threadId])}`;
}
