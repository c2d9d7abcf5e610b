import type { RunEvent, RunResume } from '../events/run-event.js';
import type { OpenItems } from './open-items.js';
import { getWait, type Run } from './run.js';
import type { Continuation } from './continuation.js';

/** The way in which a run came to its owner. */
export interface Acquisition {
  /** The reason for a new owner, if there was one before. Default `takeover`. */
  readonly resumed?: RunResume['reason'];
  /** It was begun where it was asked for, and the thread's id was minted for it. Default false. */
  readonly isNewThread?: boolean;
}

/** The state in which an owner takes up a run. */
export interface OpeningState extends Pick<Acquisition, 'resumed'> {
  /** The items that the last owner left open. */
  readonly open: OpenItems;
  readonly answered: Continuation['answered'];
  /** Number of this owner, from 1. */
  readonly attempt: number;
}

/** Returns the events that an owner emits before any others. Pure: the same log gives the same events. */
export function openingEvents(run: Run, state: OpeningState): RunEvent[] {
  const { open, answered, attempt, resumed = 'takeover' } = state;
  const { lastSeq, messageId, resumeOf, agent, given } = run;
  if (lastSeq === 0) {
    const queuedMs = getWait(run);
    return [
      {
        type: 'run-start',
        agent,
        messageId,
        ...(resumeOf ? { resumeOf } : given?.files && { files: given.files }),
        ...(queuedMs > 0 && { queuedMs }),
      },
      ...answered.map(({ inputId, kind, answer }): RunEvent => ({
        type: 'input-answer',
        inputId,
        kind,
        decision: answer.decision,
        by: answer.by,
        ...(answer.decision === 'edit' && { input: answer.input }),
        ...(answer.added && { added: answer.added }),
      })),
    ];
  }
  // Before anything new: what the last owner had not finished is superseded.
  return [
    { type: 'run-resume', reason: resumed },
    ...open.steps.map(({ stepId }): RunEvent => ({ type: 'step-reset', stepId, attempt, reason: resumed })),
  ];
}
