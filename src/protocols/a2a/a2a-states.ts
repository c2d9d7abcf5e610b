import type { RunOutcome } from '../../events/run-event.js';
import type { Run, RunStatus } from '../../runs/run.js';
import type { A2aState, A2aStatus } from './a2a-events.js';

/** A2A's name for each outcome of a run. */
export const END_STATES: Record<RunOutcome, A2aState> = {
  completed: 'TASK_STATE_COMPLETED',
  failed: 'TASK_STATE_FAILED',
  cancelled: 'TASK_STATE_CANCELED',
  'awaiting-input': 'TASK_STATE_INPUT_REQUIRED',
};

/** Returns the state of a task for the status of its run. */
export function toA2aState(status: RunStatus): A2aState {
  if (status === 'pending') return 'TASK_STATE_SUBMITTED';
  return status === 'running' ? 'TASK_STATE_WORKING' : END_STATES[status];
}

/** The same with the time at which the run came to stand so. */
export function toA2aStatus({ status, createdAt, startedAt, endedAt }: Run): A2aStatus {
  const since = endedAt ?? startedAt ?? createdAt;
  return { state: toA2aState(status), timestamp: new Date(since).toISOString() };
}
