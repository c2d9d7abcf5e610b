import type { Owner } from '../../principal.js';
import type { SaidText } from '../../runs/event-log.js';
import { belongsTo } from '../../runs/run.js';
import type { Page } from '../../runs/run.store.js';
import { collectWords, isMatch, type SearchTerm } from '../../runs/search-words.js';
import {
  findPlaces,
  MOST_FOUND_RUNS,
  type FoundTexts,
  type ThreadMatch,
  type ThreadSearch,
} from '../../runs/thread-search.js';
import { toPage } from '../page-cursor.js';
import type { MemoryRecords, RunRecord, ThreadRecord } from './memory-records.js';
import { findThreads, getKeys, toThread } from './memory-threads.js';

/** Makes an ended run one that is found by its words. */
export function indexRun(record: RunRecord, said: SaidText | undefined): void {
  record.found = { ...(said && { said }), words: collectWords(said ? [said.question, said.answer] : []) };
}

/** Returns a page of the owner's threads in which all terms are found. */
export function searchThreads(
  records: MemoryRecords,
  owner: Owner,
  search: ThreadSearch,
): Promise<Page<ThreadMatch>> {
  const { terms } = search;
  const newest = findRuns(records, owner, terms);
  const rows = findThreads(records, owner, search).filter(
    ({ key, titleWords }) => newest.has(key) || (titleWords && hasAll(titleWords, terms)),
  );
  const page = toPage(rows, search, {
    getKeys,
    toItem: (row) => ({
      thread: toThread(records, row),
      texts: toTexts(row, newest.get(row.key)),
    }),
  });
  return findPlaces(page, terms);
}

/** Finds the newest run of each thread that has all terms. */
function findRuns(
  records: MemoryRecords,
  owner: Owner,
  terms: readonly SearchTerm[],
): ReadonlyMap<string, RunRecord> {
  const newest = new Map<string, RunRecord>();
  [...records.runs.values()]
    .filter(({ run, found }) => found && belongsTo(run.principal, owner) && hasAll(found.words, terms))
    .slice(-MOST_FOUND_RUNS)
    .forEach((record) => newest.set(record.run.threadKey, record));
  return newest;
}

function toTexts({ thread: { title } }: ThreadRecord, record: RunRecord | undefined): FoundTexts {
  return record ? { ...record.found?.said, runId: record.run.id } : { title };
}

function hasAll(words: ReadonlySet<string>, terms: readonly SearchTerm[]): boolean {
  return terms.every((term) =>
    term.isPrefix ? [...words].some((word) => isMatch(word, term)) : words.has(term.word),
  );
}
