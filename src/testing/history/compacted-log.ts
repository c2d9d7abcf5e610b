import { isDeepStrictEqual } from 'node:util';
import { compactLog } from '../../events/compact-log.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Reader, RunHistory } from './history.js';
import type { Finding } from './log-checks.js';

/** A log as it was written, and as it is now. Both are the same, unless a message of the run was replaced: then it is compacted at its end. */
export interface WrittenLog {
  readonly written: readonly RecordedEvent[];
  readonly findings: readonly Finding[];
  /** False if some of what is gone was seen by no reader. */
  readonly isWhole: boolean;
}

/** Puts what readers saw back into a log that was compacted because text in it was replaced, and checks that nothing else is gone. */
export function restoreLog({ log, readers }: Pick<RunHistory, 'log' | 'readers'>): WrittenLog {
  const isReplaced = log.some(({ event }) => event.type === 'step-reset' && event.reason === 'replaced');
  if (!isReplaced) return { written: log, findings: [], isWhole: true };
  const written = new Map(log.map((recorded) => [recorded.seq, recorded]));
  for (const recorded of readers.flatMap(listEvents)) {
    const known = written.get(recorded.seq);
    // Deltas are joined into the last of them, which was shorter when it was written.
    if (!known || measureText(recorded) < measureText(known)) written.set(recorded.seq, recorded);
  }
  const whole = [...written.values()].toSorted((one, other) => one.seq - other.seq);
  const isWhole = whole.every(({ seq }, index) => seq === index + 1);
  const isCompacted =
    !isWhole ||
    isDeepStrictEqual(compactLog(whole).map(toFact), log.map(toFact)) ||
    isDeepStrictEqual(whole.map(toFact), log.map(toFact));
  return {
    written: whole,
    findings: isCompacted ? [] : [['lost-write', 'more is gone than what was replaced']],
    isWhole,
  };
}

function listEvents({ connections }: Reader): RecordedEvent[] {
  return connections.flatMap(({ frames }) =>
    frames.flatMap((frame) => (frame.kind === 'event' ? [frame.recorded] : [])),
  );
}

function measureText({ event }: RecordedEvent): number {
  return 'delta' in event ? event.delta.length : 0;
}

/** Without what a frame need not carry. */
function toFact({ seq, epoch, event }: RecordedEvent): unknown {
  return { seq, epoch, event };
}
