import { getTraits } from './event-traits.js';
import type { RecordedEvent } from './recorded-event.js';
import { applyState, type RunState } from './run-state.js';
import type { ReasoningDelta, RunEvent, StateChange, TextDelta } from './run-event.js';

/**
 * The log of a run that has ended, without what is not needed once it is over: text that the agent has replaced, the progress of tools
 * that have ended, changes of the state that others follow at once, and the places where the words of a part were cut into deltas. Everything else stays,
 * each event with its seq, epoch and time; and {@link foldRun} sees the same, but for the progress. What a takeover or a retry has
 * superseded is part of what happened, and stays, unless the agent replaces the text of that step later. What came before a state of the graph that
 * is kept stays too: the thread can be continued from there. It is never longer than the log.
 *
 * A reader that stands at an event that is still there can go on from it: it has seen exactly what came before. That is why
 * only neighbouring deltas are joined, and the joined one takes the place of the last. Joined over an event between them, they
 * would repeat to a reader that stands at that event the words it has.
 */
export function compactLog(log: readonly RecordedEvent[]): RecordedEvent[] {
  const joined = joinStates(log);
  const obsolete = findObsolete(log);
  const compacted: RecordedEvent[] = [];
  for (const recorded of log) {
    const { event } = recorded;
    const state = isStateChange(recorded) ? joined.get(recorded) : undefined;
    if (obsolete.has(recorded) || (isStateChange(recorded) && !state)) continue;
    const last = compacted.at(-1);
    if (last && isDelta(last.event) && isDelta(event) && isJoinable(last.event, event)) {
      compacted[compacted.length - 1] = {
        ...recorded,
        event: { ...event, delta: last.event.delta + event.delta },
      };
    } else compacted.push(state ? { ...recorded, event: state } : recorded);
  }
  return compacted;
}

/**
 * Returns the events that stay of those that changed the state, with all that they and the ones before them have changed: the last one before each kept
 * state of the graph, and the last.
 */
function joinStates(log: readonly RecordedEvent[]): ReadonlyMap<RecordedEvent, StateChange> {
  const joined = new Map<RecordedEvent, StateChange>();
  let state: RunState | undefined;
  let changes: RecordedEvent<StateChange>[] = [];
  const join = () => {
    const last = changes.at(-1);
    if (last)
      joined.set(
        last,
        joinChanges(
          changes.map(({ event }) => event),
          state,
        ),
      );
    changes = [];
  };
  for (const recorded of log) {
    if (recorded.event.type === 'checkpoint') join();
    if (!isStateChange(recorded)) continue;
    state = applyState(state, recorded.event);
    changes.push(recorded);
  }
  join();
  return joined;
}

/** Returns one change for several: the whole state that they lead to, or else all of their operations, if these are shorter. */
function joinChanges(changes: readonly StateChange[], state: RunState | undefined): StateChange {
  const [{ writers: _, ...event }] = changes.slice(-1) as [StateChange];
  const patch = changes.flatMap((change) => change.patch);
  const bytes = measure(patch);
  const whole = [{ op: 'replace', path: '', value: state }] as const;
  const isShorter = !isLongerThan(bytes, state) && measure(whole) <= bytes;
  return { ...event, patch: isShorter ? whole : patch };
}

function measure(patch: StateChange['patch']): number {
  return Buffer.byteLength(JSON.stringify(patch));
}

/** True if a value has more characters as JSON; false says only that it may not. Looks no further than these, however large the value is. */
function isLongerThan(limit: number, value: unknown): boolean {
  const rest = [value];
  for (let length = 0; rest.length > 0;) {
    const next = rest.pop();
    const inside = typeof next === 'object' && next !== null ? Object.values(next) : [];
    length += typeof next === 'string' ? next.length : inside.length;
    if (length > limit) return true;
    for (const each of inside) rest.push(each);
  }
  return false;
}

function isStateChange(recorded: RecordedEvent): recorded is RecordedEvent<StateChange> {
  return recorded.event.type === 'state';
}

function isDelta(event: RunEvent): event is TextDelta | ReasoningDelta {
  return event.type === 'text-delta' || event.type === 'reasoning-delta';
}

/** The characters that one delta may have when several are joined: a log is read, and sent, in pieces. */
const JOINED_DELTA_LIMIT = 64 * 1024;

function isJoinable(one: TextDelta | ReasoningDelta, other: TextDelta | ReasoningDelta): boolean {
  if (one.type !== other.type || one.partId !== other.partId) return false;
  return one.delta.length + other.delta.length <= JOINED_DELTA_LIMIT;
}

/** Finds the events that a later event has made pointless. */
function findObsolete(log: readonly RecordedEvent[]): ReadonlySet<RecordedEvent> {
  const obsolete = new Set<RecordedEvent>();
  const stepByPart = new Map<string, string>();
  const outputByStep = new Map<string, RecordedEvent[]>();
  const progressByCall = new Map<string, RecordedEvent[]>();
  const states = new Set<string>();

  for (const recorded of log) {
    const { event } = recorded;
    if (event.type === 'step-reset') {
      if (event.reason !== 'replaced') continue;
      for (const output of outputByStep.get(event.stepId) ?? []) obsolete.add(output);
      outputByStep.delete(event.stepId);
      continue;
    }
    // What was said by then is part of that state, and stays as long as it does. By the second event about a state, the next step may have spoken.
    if (event.type === 'checkpoint' && event.runId === undefined && !states.has(event.checkpointId)) {
      states.add(event.checkpointId);
      outputByStep.clear();
    }
    const thing = getItemId(event);
    if (thing === undefined) continue;
    if ('stepId' in event && event.stepId) stepByPart.set(thing, event.stepId);
    const stepId = stepByPart.get(thing);
    if (stepId !== undefined) add(outputByStep, stepId, recorded);
    if (event.type === 'tool-progress') add(progressByCall, thing, recorded);
    if (event.type === 'tool-end')
      for (const progress of progressByCall.get(thing) ?? []) obsolete.add(progress);
  }
  return obsolete;
}

/** The part or tool call that an event is about, if a `step-reset` can take it back. */
function getItemId(event: RunEvent): string | undefined {
  const { output } = getTraits(event);
  if (output === 'part' && 'partId' in event) return `part ${event.partId}`;
  return output === 'tool-call' && 'toolCallId' in event ? `tool ${event.toolCallId}` : undefined;
}

function add(lists: Map<string, RecordedEvent[]>, key: string, recorded: RecordedEvent): void {
  const list = lists.get(key);
  if (list) list.push(recorded);
  else lists.set(key, [recorded]);
}
