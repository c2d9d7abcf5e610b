import type { AnsweredInput, RequestedInput } from '../events/requested-input.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import type { EventLog } from './event-log.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';
import { foldLog } from './read-log.js';

/** The facts that a run takes over from those that it continues. Nothing, for one that continues none. */
export interface Continuation {
  /**
   * The inputs that the run before this one stopped for, with their answers, by input id; and those that earlier ones stopped for, where
   * they are about a tool call: it may have asked more since.
   */
  readonly decisions: ReadonlyMap<string, AnsweredInput>;
  /** Those of the run before this one. */
  readonly answered: readonly AnsweredInput[];
  /** The calls that have begun: tool call id to step id. */
  readonly begunCalls: ReadonlyMap<string, string>;
  /** The steps that are over, and will not be done again. */
  readonly completedSteps: ReadonlySet<string>;
}

/** Reads the logs of the runs that this one continues, as far back as the person's message. */
export async function readContinuation(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<Continuation> {
  const before = run.resumeOf === undefined ? undefined : await runs.get(run.resumeOf);
  if (!before)
    return { decisions: new Map(), answered: [], begunCalls: new Map(), completedSteps: new Set() };
  const earlier = await readContinuation(before, { runs, log });
  const events = await readFacts(log, before.id);
  const { inputs = [] } = before;
  const answered = inputs.filter((asked): asked is AnsweredInput => asked.answer !== undefined);
  const kept = [...earlier.decisions.values()].filter(({ kind }) => kind !== 'interrupt');
  const begunCalls = new Map([...earlier.begunCalls, ...listCalls(events)]);
  // A call that stopped to ask is made again.
  for (const asked of inputs) if (asked.kind === 'elicitation') begunCalls.delete(asked.toolCallId);
  return {
    decisions: new Map([...kept, ...answered].map((asked) => [asked.inputId, asked])),
    answered,
    begunCalls,
    completedSteps: new Set([...earlier.completedSteps, ...listCompletedSteps(events, inputs)]),
  };
}

/** The events that say which calls were made and which steps are over. What was said in between is as long as a log may be. */
async function readFacts(log: EventLog, runId: string): Promise<readonly RecordedEvent[]> {
  const facts = await foldLog(log, runId, {
    begin: (): RecordedEvent[] => [],
    apply: (kept, recorded) => {
      if (FACTS.has(recorded.event.type)) kept.push(recorded);
      return kept;
    },
  });
  return facts ?? [];
}

const FACTS: ReadonlySet<RunEvent['type']> = new Set(['tool-start', 'step-reset', 'step-end']);

function listCalls(events: readonly RecordedEvent[]): [string, string][] {
  return events.flatMap(({ event }) =>
    event.type === 'tool-start' ? [[event.toolCallId, event.stepId] as [string, string]] : [],
  );
}

/** All that ended, but for the steps that were only closed because the run stopped in them, and those around these. */
function listCompletedSteps(
  events: readonly RecordedEvent[],
  inputs: readonly RequestedInput[],
): Set<string> {
  const done = new Set<string>();
  const parents = new Map<string, string | undefined>();
  for (const { event } of events) {
    if (event.type === 'step-reset') done.delete(event.stepId);
    if (event.type !== 'step-end') continue;
    done.add(event.stepId);
    parents.set(event.stepId, event.parentStepId);
  }
  for (const { stepId } of inputs) {
    for (let step: string | undefined = stepId; step !== undefined; step = parents.get(step))
      done.delete(step);
  }
  return done;
}
