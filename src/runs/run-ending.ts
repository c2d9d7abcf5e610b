import { toPublicError } from '../errors.js';
import type { PublicError, RunOutcome } from '../events/run-event.js';
import type { OpenItems } from './open-items.js';
import type { StopReason } from './run-stop.js';

/** The outcome of a run, with its error and the cause of that. */
export interface Ending {
  readonly outcome: RunOutcome;
  readonly error?: PublicError;
  readonly cause?: unknown;
}

/** Decides how a run ends, by why it was stopped, or by what its agent threw. */
export function toEnding(
  reason: StopReason | undefined,
  failure: unknown,
  { inputs }: Pick<OpenItems, 'inputs'>,
): Ending {
  if (reason?.why === 'cancelled') return { outcome: 'cancelled' };
  const cause = reason && 'error' in reason ? reason.error : failure;
  if (cause === undefined) return { outcome: inputs.length > 0 ? 'awaiting-input' : 'completed' };
  const error = toPublicError(cause, { code: 'RUN_FAILED', message: 'The agent failed.' });
  return { outcome: 'failed', error, cause };
}
