import { getTraits } from './event-traits.js';
import type { RecordedEvent } from './recorded-event.js';
import { applyState, type RunState } from './run-state.js';
import type { ReasoningDelta, RunEvent, StateChange, TextDelta } from './run-event.js';

/**
 * The log of a run that has ended, without what is not needed once it is over: text that the agent has replaced, the progress of tools
 * that have ended, all states but the last and those where the thread can be continued, and the places where the words of a part were cut into deltas. Everything else stays,
 * each event with its seq, epoch and time; and {@link foldRun} sees the same, but for the progress. What a takeover or a retry has
 * superseded is part of what happened, and stays, unless the agent replaces the text of that step later. What came before a state of the graph that
 * is kept stays too: the thread can be continued from there.
 *
 * A reader that stands at an event that is still there can go on from it: it has seen exactly what came before. That is why
 * only neighbouring deltas are joined, and the joined one takes the place of the last. Joined over an event between them, they
 * would repeat to a reader that stands at that event the words it has.
 */
export function compactLog(log: readonly RecordedEvent[]): RecordedEvent[] {
  const obsolete = findObsolete(log);
  const states = foldStates(log);
  const compacted: RecordedEvent[] = [];
  for (const recorded of log) {
    if (obsolete.has(recorded)) continue;
    const last = compacted.at(-1);
    const { event } = recorded;
    if (last && isDelta(last.event) && isDelta(event) && isJoinable(last.event, event)) {
      compacted[compacted.length - 1] = {
        ...recorded,
        event: { ...event, delta: last.event.delta + event.delta },
      };
    } else {
      const whole = states.get(recorded);
      compacted.push(whole ? { ...recorded, event: whole } : recorded);
    }
  }
  return compacted;
}

/** Returns the events that stay of those that changed the state, each with the whole state as it was then: the last one before each kept state of the graph, and the last. */
function foldStates(log: readonly RecordedEvent[]): ReadonlyMap<RecordedEvent, StateChange> {
  const wholes = new Map<RecordedEvent, StateChange>();
  let state: RunState | undefined;
  let last: RecordedEvent<StateChange> | undefined;
  const keep = () => {
    if (!last) return;
    const { writers: _, ...event } = last.event;
    wholes.set(last, { ...event, patch: [{ op: 'replace', path: '', value: state }] });
    last = undefined;
  };
  for (const recorded of log) {
    if (recorded.event.type === 'checkpoint') keep();
    if (!isStateChange(recorded)) continue;
    state = applyState(state, recorded.event);
    last = recorded;
  }
  keep();
  return wholes;
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
  let state: RecordedEvent | undefined;

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
    if (event.type === 'checkpoint') state = undefined;
    if (event.type === 'state') {
      if (state) obsolete.add(state);
      state = recorded;
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
