import { findExpiry, isDecided, recordDecisions, type RequestedInput } from '../events/requested-input.ts';
import type { NewDecisions } from './run.store.js';

/** A run that was decided on, as it stands in the step that stores the decisions. */
export interface DecidedRun {
  /** The inputs that it stopped for. Absent: it waits for nothing. */
  readonly inputs?: readonly RequestedInput[] | undefined;
  /**
   * The run right after it in its thread. One that continues it can only be there: it is stored while the run is the thread's last.
   */
  readonly next?: { readonly resumeOf?: string | null | undefined } | undefined;
}

/** The effect of decisions on the run that waits for them. */
export type DecisionEffect =
  /** There is nothing to decide. `lapsed`: there was, until something came later in the thread; it expires no more. */
  | { readonly outcome: 'closed'; readonly lapsed: boolean }
  | { readonly outcome: 'unknown' | 'conflict'; readonly inputId: string }
  /** The run was continued before; nothing changes. */
  | { readonly outcome: 'continued' }
  | {
      readonly outcome: 'noted';
      readonly inputs: readonly RequestedInput[];
      /** Time when the first undecided input expires, in milliseconds since the epoch. */
      readonly awaitingUntil: number | undefined;
      /** True with the last missing decision: the run that continues this one is to be stored. */
      readonly isComplete: boolean;
    };

/** Decides what these decisions do: all of them, or none. Pure. */
export function applyDecisions(
  { runId, answers }: Pick<NewDecisions, 'runId' | 'answers'>,
  { inputs, next }: DecidedRun,
): DecisionEffect {
  if (!inputs) return { outcome: 'closed', lapsed: false };
  const answered = recordDecisions(inputs, answers);
  if (answered.outcome !== 'answered') return answered;
  if (next) return next.resumeOf === runId ? { outcome: 'continued' } : { outcome: 'closed', lapsed: true };
  return {
    outcome: 'noted',
    inputs: answered.inputs,
    awaitingUntil: findExpiry(answered.inputs),
    isComplete: isDecided(answered.inputs),
  };
}
