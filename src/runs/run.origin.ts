import type { Approval, GivenAnswer } from '../events/approval.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { EventLog } from './event.log.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';
import { readWholeLog } from './whole.log.js';

/** What a run takes over from those that it continues. Nothing, for one that continues none. */
export interface RunOrigin {
  /** What was decided on the calls that the run before this one stopped for, by approval id. */
  readonly decisions: ReadonlyMap<string, GivenAnswer>;
  /** The calls that have begun: tool call id to step id. */
  readonly begunCalls: ReadonlyMap<string, string>;
  /** The steps that are over, and will not be done again. */
  readonly completedSteps: ReadonlySet<string>;
}

/** Reads the logs of the runs that this one continues, as far back as the person's message. */
export async function originOf(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<RunOrigin> {
  const before = run.resumeOf === undefined ? undefined : await runs.get(run.resumeOf);
  if (!before) return { decisions: new Map(), begunCalls: new Map(), completedSteps: new Set() };
  const earlier = await originOf(before, { runs, log });
  const events = await readWholeLog(log, before.id);
  const { approvals = [] } = before;
  return {
    decisions: new Map(
      approvals.flatMap(({ approvalId, answer }) => (answer ? [[approvalId, answer] as const] : [])),
    ),
    begunCalls: new Map([...earlier.begunCalls, ...callsIn(events)]),
    completedSteps: new Set([...earlier.completedSteps, ...stepsDone(events, approvals)]),
  };
}

function callsIn(events: readonly RecordedEvent[]): [string, string][] {
  return events.flatMap(({ event }) =>
    event.type === 'tool-start' ? [[event.toolCallId, event.stepId] as [string, string]] : [],
  );
}

/** All that ended, but for the steps that were only closed because the run stopped in them, and those around these. */
function stepsDone(events: readonly RecordedEvent[], approvals: readonly Approval[]): Set<string> {
  const done = new Set<string>();
  const parents = new Map<string, string | undefined>();
  for (const { event } of events) {
    if (event.type === 'step-reset') done.delete(event.stepId);
    if (event.type !== 'step-end') continue;
    done.add(event.stepId);
    parents.set(event.stepId, event.parentStepId);
  }
  for (const { stepId } of approvals) {
    for (let step: string | undefined = stepId; step !== undefined; step = parents.get(step))
      done.delete(step);
  }
  return done;
}
