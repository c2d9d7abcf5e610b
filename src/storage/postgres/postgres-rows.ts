import type { ListedRun, Run, Thread } from '../../runs/run.js';
import {
  toListedRun,
  toRun,
  toThread,
  type ListedRunRow,
  type ReadText,
  type RunRow,
  type ThreadRow,
} from '../run-rows.js';

/** Text of people is stored as JSON: PostgreSQL's text has no NUL, and theirs may. */
const readText: ReadText = (column) => JSON.parse(column) as string;

export function parseRun(row: RunRow): Run {
  return toRun(row, readText);
}

export function parseThread(row: ThreadRow): Thread {
  return toThread(row, readText);
}

export function parseListedRun(row: ListedRunRow): ListedRun {
  return toListedRun(row, readText);
}
