import type { Run } from './run.js';

/**
 * What a hint is about: a run's log has grown (`log`), somebody wants something of a run's owner (`control`), a thread has
 * another run (`thread`), or a run waits for an owner (`pending`).
 */
export type WakeupTopic = `log:${string}` | `control:${string}` | `thread:${string}` | 'pending';

/**
 * Port: hints that something may have changed, across all processes that share a storage. A hint may be lost,
 * repeated, or late: whoever listens re-reads the truth, and re-reads it now and then without any hint.
 */
export abstract class Wakeups {
  /** Never throws and never waits. */
  abstract notify(topic: WakeupTopic): void;

  /** Calls `wake` at each hint, in a later turn than the `notify`; returns what stops it. */
  abstract listen(topic: WakeupTopic, wake: () => void): () => void;
}

/** A run was created: whoever follows its thread is told, and whoever may claim it, when it waits for that. */
export function announceRun(wakeups: Wakeups, { threadId, status }: Pick<Run, 'threadId' | 'status'>): void {
  if (status === 'pending') wakeups.notify('pending');
  wakeups.notify(`thread:${threadId}`);
}
