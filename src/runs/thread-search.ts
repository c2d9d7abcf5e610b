import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Thread } from './run.js';
import type { Page, ThreadListRequest } from './run.store.js';
import { findExcerpt, type SearchExcerpt } from './search-excerpt.ts';
import type { SearchTerm } from './search-words.js';

/** Runs that a search looks at, of those that have its terms: the newest. */
export const MOST_FOUND_RUNS = 2_000;

/** Threads on one page of a search. The text of each is split into its words again. */
export const MOST_FOUND_THREADS = 20;

/** Asks for threads in which all of these terms are found. */
export interface ThreadSearch extends ThreadListRequest {
  /** At least one. */
  readonly terms: readonly SearchTerm[];
}

/** A thread that was found, and the place in it. */
export interface ThreadMatch {
  readonly thread: Thread;
  readonly place: MatchPlace;
}

/** The newest place in a thread that has the terms. */
export interface MatchPlace extends SearchExcerpt {
  readonly in: 'title' | 'question' | 'answer';
  /** Absent for a title. */
  readonly runId?: string;
}

/** The texts in which a search has found its terms: those of a run, or a title. */
export interface FoundTexts {
  readonly runId?: string;
  readonly title?: string;
  readonly question?: string;
  readonly answer?: string;
}

/** Chooses the text that has most of the terms; of a question and its answer that have as many, the answer. Pure. */
export function findPlace({ runId, ...texts }: FoundTexts, terms: readonly SearchTerm[]): MatchPlace {
  let place: MatchPlace = { in: 'title', text: '', marks: [] };
  let most = 0;
  for (const name of ['answer', 'question', 'title'] as const) {
    const found = findExcerpt(texts[name] ?? '', terms, name === 'answer');
    if (!found || found.count <= most) continue;
    place = { in: name, ...found.excerpt };
    most = found.count;
  }
  return { ...place, ...(runId !== undefined && { runId }) };
}

/** Puts the places instead of the texts. Other work goes on between two of them: to split a long text takes milliseconds. */
export async function findPlaces(
  { items, ...page }: Page<{ readonly thread: Thread; readonly texts: FoundTexts }>,
  terms: readonly SearchTerm[],
): Promise<Page<ThreadMatch>> {
  const matches: ThreadMatch[] = [];
  for (const { thread, texts } of items) {
    matches.push({ thread, place: findPlace(texts, terms) });
    await nextTurn();
  }
  return { ...page, items: matches };
}
