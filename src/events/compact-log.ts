import type { RecordedEvent } from './recorded-event.js';
import type { ReasoningDelta, RunEvent, TextDelta } from './run-event.js';

/**
 * The log of a run that has ended, without what nobody needs once it is over: words that were superseded by a `step-reset`,
 * the progress of tools that have ended, and the places where the words of a part were cut into deltas. Everything else stays,
 * each event with its seq, epoch and time; and {@link foldRun} sees the same, but for the progress.
 *
 * A reader that stands at an event that is still there can go on from it: it has seen exactly what came before. That is why
 * only neighbouring deltas are joined, and the joined one takes the place of the last. Joined over an event between them, they
 * would repeat to a reader that stands at that event the words it has.
 */
export function compactLog(log: readonly RecordedEvent[]): RecordedEvent[] {
  const obsolete = obsoleteIn(log);
  const compacted: RecordedEvent[] = [];
  for (const recorded of log) {
    if (obsolete.has(recorded)) continue;
    const last = compacted.at(-1);
    if (last && isDelta(last.event) && isDelta(recorded.event) && isSamePart(last.event, recorded.event)) {
      const { event } = recorded;
      compacted[compacted.length - 1] = {
        ...recorded,
        event: { ...event, delta: last.event.delta + event.delta },
      };
    } else compacted.push(recorded);
  }
  return compacted;
}

function isDelta(event: RunEvent): event is TextDelta | ReasoningDelta {
  return event.type === 'text-delta' || event.type === 'reasoning-delta';
}

function isSamePart(one: TextDelta | ReasoningDelta, other: TextDelta | ReasoningDelta): boolean {
  return one.type === other.type && one.partId === other.partId;
}

/** What a later event has made pointless. */
function obsoleteIn(log: readonly RecordedEvent[]): ReadonlySet<RecordedEvent> {
  const obsolete = new Set<RecordedEvent>();
  const stepOf = new Map<string, string>();
  const outputOf = new Map<string, RecordedEvent[]>();
  const progressOf = new Map<string, RecordedEvent[]>();

  for (const recorded of log) {
    const { event } = recorded;
    if (event.type === 'step-reset') {
      for (const output of outputOf.get(event.stepId) ?? []) obsolete.add(output);
      outputOf.delete(event.stepId);
      continue;
    }
    const thing = thingOf(event);
    if (thing === undefined) continue;
    if ('stepId' in event) stepOf.set(thing, event.stepId);
    const stepId = stepOf.get(thing);
    if (stepId !== undefined) add(outputOf, stepId, recorded);
    if (event.type === 'tool-progress') add(progressOf, thing, recorded);
    if (event.type === 'tool-end') for (const progress of progressOf.get(thing) ?? []) obsolete.add(progress);
  }
  return obsolete;
}

/** The part or tool call that an event is about, if a `step-reset` can take it back. */
function thingOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'text-start':
    case 'text-delta':
    case 'text-end':
    case 'reasoning-start':
    case 'reasoning-delta':
    case 'reasoning-end':
      return `part ${event.partId}`;
    case 'tool-start':
    case 'tool-progress':
    case 'tool-end':
      return `tool ${event.toolCallId}`;
    case 'run-start':
    case 'run-resume':
    case 'step-start':
    case 'step-end':
    case 'step-reset':
    case 'approval-request':
    case 'approval-answer':
    case 'usage':
    case 'custom':
    case 'end':
      return undefined;
    default:
      // The owner that wrote it may have been of a newer version: what we do not know stays.
      event satisfies never;
      return undefined;
  }
}

function add(lists: Map<string, RecordedEvent[]>, key: string, recorded: RecordedEvent): void {
  const list = lists.get(key);
  if (list) list.push(recorded);
  else lists.set(key, [recorded]);
}
