import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { NOTHING_OPEN, trackOpen, type OpenItems } from '../../runs/open-items.js';
import type { AnomalyName } from './history.js';

export type Finding = readonly [name: AnomalyName, detail: string];

/** Returns everything that is wrong with a log in itself. Pure. @param isWhole false for one that was compacted: it has gaps */
export function checkLog(
  log: readonly RecordedEvent[],
  { isWhole = true }: { readonly isWhole?: boolean } = {},
): Finding[] {
  return [
    ...(isWhole ? checkNumbering(log) : []),
    ...checkEnds(log),
    ...checkOwnership(log),
    ...checkSupersession(log),
    ...checkItems(log),
  ];
}

function checkNumbering(log: readonly RecordedEvent[]): Finding[] {
  const first = log[0]?.seq ?? 1;
  return log.flatMap(({ seq }, index): Finding[] => {
    const expected = first + index;
    return seq === expected ? [] : [['lost-write', `the log has ${seq} in the place of ${expected}`]];
  });
}

function checkEnds(log: readonly RecordedEvent[]): Finding[] {
  const places = log.flatMap(({ event }, index) => (event.type === 'end' ? [index] : []));
  const [first] = places;
  if (first === undefined) return [['no-end', `the log stops at ${log.at(-1)?.seq ?? 0}`]];
  const findings: Finding[] = [];
  if (places.length > 1) findings.push(['many-ends', `the log has ${places.length}`]);
  const next = log[first + 1];
  if (next) findings.push(['after-end', `${next.event.type} at ${next.seq}`]);
  return findings;
}

function checkOwnership(log: readonly RecordedEvent[]): Finding[] {
  return log.flatMap(({ epoch, seq, event }, index): Finding[] => {
    const before = log[index - 1];
    if (!before || before.epoch === epoch) return [];
    if (before.epoch > epoch)
      return [['epoch-order', `owner ${epoch} at ${seq} after owner ${before.epoch}`]];
    return event.type === 'run-resume'
      ? []
      : [['missing-resume', `owner ${epoch} begins at ${seq} with ${event.type}`]];
  });
}

/**
 * Every step that its owner left unfinished is taken back before its next owner says anything new; and a step that begins once
 * more, for whatever reason, was taken back since it began before.
 */
function checkSupersession(log: readonly RecordedEvent[]): Finding[] {
  const findings: Finding[] = [];
  const begun = new Set<string>();
  let open = NOTHING_OPEN;
  let owed = new Set<string>();
  for (const { event, seq, at } of log) {
    if (event.type === 'run-resume') owed = new Set(open.steps.map(({ stepId }) => stepId));
    else if (event.type === 'step-reset') {
      owed.delete(event.stepId);
      begun.delete(event.stepId);
    } else {
      for (const stepId of owed)
        findings.push(['missing-step-reset', `${stepId} before ${event.type} at ${seq}`]);
      owed.clear();
    }
    if (event.type === 'step-start') {
      if (begun.has(event.stepId))
        findings.push(['missing-step-reset', `${event.stepId} begins again at ${seq}`]);
      begun.add(event.stepId);
    }
    open = trackOpen(open, event, at);
  }
  return findings;
}

function checkItems(log: readonly RecordedEvent[]): Finding[] {
  const findings: Finding[] = [];
  let open = NOTHING_OPEN;
  for (const { event, seq, at } of log) {
    if (!isAtHome(event, open)) findings.push(['stray-item', `${event.type} at ${seq}`]);
    if (event.type === 'end') {
      const left = [
        ...open.steps.map(({ stepId }) => stepId),
        ...open.parts.map(({ partId }) => partId),
        ...open.tools.map(({ toolCallId }) => toolCallId),
      ];
      if (left.length > 0) findings.push(['unclosed-item', left.join(', ')]);
    }
    open = trackOpen(open, event, at);
  }
  return findings;
}

/** True if the event belongs to an item that is open. */
function isAtHome(event: RunEvent, { steps, parts, tools }: OpenItems): boolean {
  switch (event.type) {
    case 'text-start':
    case 'reasoning-start':
    case 'file':
    case 'source':
    case 'tool-start':
    case 'step-end':
      return steps.some(({ stepId }) => stepId === event.stepId);
    case 'text-delta':
    case 'text-end':
    case 'reasoning-delta':
    case 'reasoning-end':
      return parts.some(({ partId }) => partId === event.partId);
    case 'tool-progress':
    case 'tool-end':
      return tools.some(({ toolCallId }) => toolCallId === event.toolCallId);
    default:
      return true;
  }
}
