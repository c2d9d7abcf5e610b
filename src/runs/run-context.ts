import { AsyncLocalStorage } from 'node:async_hooks';

/** A run whose agent is at work. */
export interface RunAtWork {
  /** Ends the run as failed. For what went wrong out of its agent's reach. */
  fail(error: unknown): void;
}

/** The run whose agent works in this async context, even in work that the agent has started and not awaited. Undefined outside of any. */
export const runAtWork = new AsyncLocalStorage<RunAtWork>();
