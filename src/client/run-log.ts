import { readEvent } from '../events/earlier-records.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunRecord } from './chat.types.js';

/** A run as its log names it: without what was asked. Times are milliseconds since the epoch. */
export type RunHead = Omit<RunRecord, 'message' | 'messageId' | 'inputs' | 'messages'>;

/** Asks for the events after a seq. */
export interface LogQuery {
  /** Default 0: from the first event on. */
  readonly after?: number;
  /** The log of a run that operators may see, in place of the caller's own. Default false. */
  readonly everybody?: boolean;
  readonly signal?: AbortSignal;
}

/** A part of a run's log, or all of it. */
export interface RunLog {
  readonly run: RunHead;
  /** The seq that the events come after; 0 for a log from its first event on. */
  readonly after: number;
  readonly events: readonly RecordedEvent[];
}

/**
 * Reads logs as the server sends them: for each run a line that names it, then a line for each event.
 *
 * @throws SyntaxError for text that is no log
 */
export function parseRunLogs(text: string): RunLog[] {
  const logs: { run: RunHead; after: number; events: RecordedEvent[] }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = parseLine(line, index);
    if ('run' in read) logs.push({ run: read.run, after: read.after, events: [] });
    else {
      const log = logs.at(-1);
      if (!log) throw new SyntaxError('The first line does not name a run.');
      const { id: runId, threadId } = log.run;
      log.events.push({ ...read, runId, threadId, event: readEvent(read.event) });
    }
  }
  if (logs.length === 0) throw new SyntaxError('There is no run in it.');
  return logs;
}

/** Writes logs as the server sends them. */
export function formatRunLogs(logs: readonly RunLog[]): string {
  const lines = logs.flatMap(({ run, after, events }) => [
    { run, after },
    ...events.map(({ seq, epoch, at, event }) => ({ seq, epoch, at, event })),
  ]);
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

type Line = { readonly run: RunHead; readonly after: number } | Omit<RecordedEvent, 'runId' | 'threadId'>;

function parseLine(line: string, index: number): Line {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch (cause) {
    throw new SyntaxError(`Line ${index + 1} is not JSON.`, { cause });
  }
  const { run, seq, at, event } = (read ?? {}) as Record<string, unknown>;
  const isHead = typeof (run as RunHead | undefined)?.id === 'string';
  const isEvent = Number.isInteger(seq) && Number.isFinite(at) && typeof event === 'object' && event !== null;
  if (!isHead && !isEvent) throw new SyntaxError(`Line ${index + 1} is neither a run nor an event.`);
  return read as Line;
}
