import type { AnsweredInput, RequestedInput } from '../events/requested-input.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { readAncestors } from './ancestors.js';
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
  /**
   * The calls that earlier runs of the branch have begun, by tool call id, for a run that goes on with a graph's state as it is: the state may lack their
   * results, and ask for them again.
   */
  readonly begunBefore: ReadonlySet<string>;
  /** The steps that are over, and will not be done again. */
  readonly completedSteps: ReadonlySet<string>;
}

/** Reads the logs of the runs that this one continues, as far back as the person's message. */
export async function readContinuation(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<Continuation> {
  const before = run.resumeOf === undefined ? undefined : await runs.get(run.resumeOf);
  if (!before) {
    const begunBefore = run.given?.stateChange?.continues
      ? await readBegunBefore(run, { runs, log })
      : new Set<string>();
    const completedSteps = new Set<string>();
    return { decisions: new Map(), answered: [], begunCalls: new Map(), begunBefore, completedSteps };
  }
  const earlier = await readContinuation(before, { runs, log });
  const events = await readFacts(log, before.id);
  const { inputs = [] } = before;
  const answered = inputs.filter((asked): asked is AnsweredInput => asked.answer !== undefined);
  const kept = [...earlier.decisions.values()].flatMap((asked) => {
    if (asked.kind === 'interrupt') return [];
    // The run before this one began with the messages that came with them.
    const { added: _, ...answer } = asked.answer;
    return { ...asked, answer };
  });
  const begunCalls = new Map([...earlier.begunCalls, ...listCalls(events)]);
  // A call that stopped to ask is made again.
  for (const asked of inputs) if (asked.kind === 'elicitation') begunCalls.delete(asked.toolCallId);
  return {
    decisions: new Map([...kept, ...answered].map((asked) => [asked.inputId, asked])),
    answered,
    begunCalls,
    begunBefore: earlier.begunBefore,
    completedSteps: new Set([...earlier.completedSteps, ...listCompletedSteps(events, inputs)]),
  };
}

/** So many runs in a row are looked at. */
const MOST_RUNS = 50;

/** Reads the calls of the runs before this one, back to the last that has done all its work. */
async function readBegunBefore(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<ReadonlySet<string>> {
  const begun = new Set<string>();
  let count = 0;
  for await (const { id, status, resumeOf, given } of readAncestors(run, runs)) {
    const { stateChange } = given ?? {};
    count += 1;
    if (count > MOST_RUNS) break;
    // A run that only changes the state makes no calls.
    if (stateChange && !stateChange.continues) continue;
    for (const toolCallId of listBegun(await readFacts(log, id))) begun.add(toolCallId);
    const hasBegunTurn = resumeOf === undefined && !stateChange;
    if (status === 'completed' || (status === 'awaiting-input' && hasBegunTurn)) break;
  }
  return begun;
}

function listBegun(events: readonly RecordedEvent[]): ReadonlySet<string> {
  const begun = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'tool-start') begun.add(event.toolCallId);
    // It has stopped to ask, and is made again.
    if (event.type === 'tool-end' && event.outcome === 'awaiting-input') begun.delete(event.toolCallId);
  }
  return begun;
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

const FACTS: ReadonlySet<RunEvent['type']> = new Set(['tool-start', 'tool-end', 'step-reset', 'step-end']);

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
