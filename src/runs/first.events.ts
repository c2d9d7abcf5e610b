import type { RunEvent, RunResume } from '../events/run-event.js';
import type { OpenItems } from './open-items.js';
import type { Run } from './run.js';
import type { RunOrigin } from './run.origin.js';

/** What an owner finds when it takes a run up. */
export interface TakenUp {
  /** What the last owner left open. */
  readonly open: OpenItems;
  readonly decisions: RunOrigin['decisions'];
  /** Which owner it is, counted from 1. */
  readonly attempt: number;
  /** Why there is a new one, where there was one before. */
  readonly resumed: RunResume['reason'];
}

/** What an owner says before anything else. Pure: the same log gives the same events. */
export function firstEvents(run: Run, { open, decisions, attempt, resumed }: TakenUp): RunEvent[] {
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
