import type { RunEvent, RunResume } from '../events/run-event.js';
import type { OpenItems } from './open-items.js';
import type { Run } from './run.js';
import type { RunOrigin } from './run.origin.js';

/** How a run came to its owner. */
export interface Taken {
  /** Why there is a new owner, where there was one before. Default `takeover`. */
  readonly resumed?: RunResume['reason'];
  /** It was begun where it was asked for, and the thread's id was minted for it. Default false. */
  readonly isNewThread?: boolean;
}

/** What an owner finds when it takes a run up. */
export interface TakenUp extends Pick<Taken, 'resumed'> {
  /** What the last owner left open. */
  readonly open: OpenItems;
  readonly decisions: RunOrigin['decisions'];
  /** Which owner it is, counted from 1. */
  readonly attempt: number;
}

/** What an owner says before anything else. Pure: the same log gives the same events. */
export function firstEvents(run: Run, taken: TakenUp): RunEvent[] {
  const { open, decisions, attempt, resumed = 'takeover' } = taken;
  const { lastSeq, messageId, resumeOf, agent } = run;
  if (lastSeq === 0) {
    return [
      { type: 'run-start', agent, messageId, ...(resumeOf && { resumeOf }) },
      ...Array.from(decisions, ([approvalId, { decision, by }]): RunEvent => ({
        type: 'approval-answer',
        approvalId,
        decision,
        by,
      })),
    ];
  }
  // Before anything new: what the last owner had not finished is superseded.
  return [
    { type: 'run-resume', reason: resumed },
    ...open.steps.map(({ stepId }): RunEvent => ({ type: 'step-reset', stepId, attempt, reason: resumed })),
  ];
}
