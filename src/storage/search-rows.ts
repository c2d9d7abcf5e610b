import { hash } from 'node:crypto';
import type { Owner } from '../principal.js';
import type { SaidText } from '../runs/event-log.js';
import { collectWords, type SearchTerm } from '../runs/search-words.ts';

// Also runs in the worker of SQLite, from the sources: erasable TypeScript only.

/** Words of a run or a title as the index has them: each behind the mark of its owner, so that a search reads no words of others. */
export interface SearchRow {
  /** Separated by spaces. */
  readonly words: string;
  readonly answer: string;
}

/** Returns undefined for text without words. */
export function toSearchRow({ owner, question, answer }: SaidText): SearchRow | undefined {
  const words = toIndexedWords(owner, [question, answer]);
  return words === undefined ? undefined : { words, answer };
}

/** Returns the words of texts, separated by spaces. Undefined if they have none. */
export function toIndexedWords(owner: Owner, texts: readonly string[]): string | undefined {
  const mark = toOwnerMark(owner);
  const words = Array.from(collectWords(texts), (word) => `${mark}${word}`);
  return words.length === 0 ? undefined : words.join(' ');
}

/** Returns the terms as the index has them. */
export function toIndexedTerms(owner: Owner, terms: readonly SearchTerm[]): readonly SearchTerm[] {
  const mark = toOwnerMark(owner);
  return terms.map(({ word, isPrefix }) => ({ word: `${mark}${word}`, isPrefix }));
}

/** Returns a short mark of an owner. Two owners may have the same by chance: whose a found run is has to be looked at. */
function toOwnerMark({ tenant, userId }: Owner): string {
  return hash('sha256', JSON.stringify([tenant, userId]), 'hex').slice(0, 8);
}
