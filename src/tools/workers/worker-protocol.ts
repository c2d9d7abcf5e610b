/**
 * A message of a worker: `begun` when it has loaded what it needs and starts on the task, which starts the time limit; then one
 * reply. `spent` asks to be replaced by another before the next task.
 */
export type WorkerMessage = 'begun' | WorkerReply;

export type WorkerReply =
  | { readonly value: unknown; readonly spent?: boolean }
  /** Written for the model. */
  | { readonly fault: string; readonly spent?: boolean };
