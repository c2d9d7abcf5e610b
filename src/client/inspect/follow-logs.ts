import type { ChatService } from '../chat.service.js';
import { ChatError } from '../chat.error.js';
import type { RunLog } from '../run-log.js';

/** Time between two looks at a run that goes on. */
const LOOK_EVERY_MS = 1_000;
/** Time between two reads while the run waits for an answer: a person may take days. */
const WAITING_LOOK_EVERY_MS = 5_000;

/** Reads a part of a run's log. */
export interface LogReader {
  log: ChatService['log'];
}

export interface LogObserver {
  /** Receives the logs each time they have grown, each run before the one that continues it. */
  next(logs: readonly RunLog[]): void;
  /** True if the connection is lost for now. */
  lost(isLost: boolean): void;
}

/**
 * Reads the log of a run, of those that it continues and of those that continue it, and then their new events, until the last of them has ended.
 *
 * @throws ChatError that no repeat would help against
 */
export async function followLogs(
  chat: LogReader,
  runId: string,
  observer: LogObserver,
  signal: AbortSignal,
): Promise<void> {
  const log = await readWhole(chat, runId, signal);
  let logs = await readOn(chat, [...(await readBefore(chat, log, signal)), log], signal);
  observer.next(logs);
  for (let last = logs.at(-1); last && !isOver(last); last = logs.at(-1)) {
    await pause(hasEnded(last) ? WAITING_LOOK_EVERY_MS : LOOK_EVERY_MS, signal);
    const grown = await tryToReadOn(chat, logs, { signal, observer });
    if (grown === logs) continue;
    logs = grown;
    observer.next(logs);
  }
}

async function tryToReadOn(
  chat: LogReader,
  logs: readonly RunLog[],
  { signal, observer }: { readonly signal: AbortSignal; readonly observer: LogObserver },
): Promise<readonly RunLog[]> {
  try {
    const grown = await readOn(chat, logs, signal);
    observer.lost(false);
    return grown;
  } catch (error) {
    if (!(error instanceof ChatError) || !error.passing) throw error;
    observer.lost(true);
    return logs;
  }
}

/** Returns the logs with the new events of the last run, and with the logs of the runs that continue it; the same object if there is nothing new. */
async function readOn(
  chat: LogReader,
  logs: readonly RunLog[],
  signal: AbortSignal,
): Promise<readonly RunLog[]> {
  const last = logs.at(-1) as RunLog;
  const grown = await readRest(chat, last, signal);
  const whole = grown === last ? logs : [...logs.slice(0, -1), grown];
  const next = await readLinked(chat, grown.run.continuedBy, signal);
  return next ? readOn(chat, [...whole, next], signal) : whole;
}

async function readWhole(chat: LogReader, runId: string, signal: AbortSignal): Promise<RunLog> {
  return readRest(chat, await chat.log(runId, { signal }), signal);
}

/** The log with what was added to it. The same one if that is nothing. */
async function readRest(chat: LogReader, log: RunLog, signal: AbortSignal): Promise<RunLog> {
  let whole = log;
  while (!isOver(whole)) {
    const after = whole.events.at(-1)?.seq ?? 0;
    const part = await chat.log(whole.run.id, { after, signal });
    // It was compacted meanwhile, and starts again.
    const events = part.after < after ? part.events : [...whole.events, ...part.events];
    const { status, continuedBy } = whole.run;
    const isSame =
      part.events.length === 0 && part.run.status === status && part.run.continuedBy === continuedBy;
    if (!isSame) whole = { run: part.run, after: 0, events };
    if (part.events.length === 0) break;
  }
  return whole;
}

/** The runs that a run continues, the first of them first. One that is gone is left out, with those before it. */
async function readBefore(chat: LogReader, { run }: RunLog, signal: AbortSignal): Promise<RunLog[]> {
  const log = await readLinked(chat, run.resumeOf, signal);
  return log ? [...(await readBefore(chat, log, signal)), log] : [];
}

/** Reads the log of a run that another one names. Undefined if there is none, or it was deleted. */
async function readLinked(
  chat: LogReader,
  runId: string | undefined,
  signal: AbortSignal,
): Promise<RunLog | undefined> {
  if (runId === undefined) return undefined;
  try {
    return await readWhole(chat, runId, signal);
  } catch (error) {
    if (error instanceof ChatError && error.status === 404) return undefined;
    throw error;
  }
}

function hasEnded({ events }: RunLog): boolean {
  return events.at(-1)?.event.type === 'end';
}

/** True if no event and no further run can follow. */
function isOver({ run, events }: RunLog): boolean {
  const last = events.at(-1)?.event;
  if (last?.type !== 'end') return false;
  return last.outcome !== 'awaiting-input' || run.continuedBy !== undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
