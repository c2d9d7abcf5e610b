import { toPlainExcerpt } from './plain-excerpt.ts';
import { INDEXED_CHARACTERS, isMatch, listWords, type SearchTerm } from './search-words.ts';

/** The part of a text that a search has found, as plain text. */
export interface SearchExcerpt {
  readonly text: string;
  /** Places of the found words in `text`, in UTF-16 code units. In order, and apart from each other. */
  readonly marks: readonly { readonly start: number; readonly end: number }[];
}

/** Characters of an excerpt, apart from the signs that it was cut. */
const LENGTH = 160;

/** Characters before the first word that was found. */
const LEAD = 40;

/** Characters around a cut in which it may be moved to a space. */
const CUT = 16;

/** Found words that are looked at to choose the best place. */
const MOST_FOUND = 200;

/** A found word: its term's index, and its place. */
interface Found {
  readonly term: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the part of the text that has most of the terms, and the number of terms in the text. Undefined if it has none.
 *
 * @param isMarkdown true for a text that is shown as Markdown: its signs are left out
 */
export function findExcerpt(
  text: string,
  terms: readonly SearchTerm[],
  isMarkdown = false,
): { readonly excerpt: SearchExcerpt; readonly count: number } | undefined {
  const found = findTerms(text, terms);
  const [first] = found;
  if (!first) return undefined;
  const countWithin = ({ start }: Found) =>
    new Set(
      found
        .filter((each) => each.start >= start && each.end <= start + LENGTH - LEAD)
        .map(({ term }) => term),
    ).size;
  let best = first;
  let most = 0;
  for (const each of found) {
    const count = countWithin(each);
    if (count > most) [best, most] = [each, count];
    if (count === terms.length) break;
  }
  const excerpt = cut(text, best.start, found);
  return {
    excerpt: isMarkdown ? toPlainExcerpt(excerpt) : inOneLine(excerpt),
    count: new Set(found.map(({ term }) => term)).size,
  };
}

function findTerms(text: string, terms: readonly SearchTerm[]): Found[] {
  const found: Found[] = [];
  const latest = new Map<number, Found>();
  let enough = Infinity;
  for (const { word, start, end, isPair } of listWords(text.slice(0, INDEXED_CHARACTERS))) {
    if (start >= enough) break;
    // It may be the word of one term, and begin with that of another.
    const matching = terms.flatMap((each, term) => (isMatch(word, each) ? [term] : []));
    if (matching.length === 0) continue;
    for (const term of matching) {
      const isSingle = isPair && terms[term]?.isPrefix;
      const each = {
        term,
        start,
        end: isSingle ? start + String.fromCodePoint(text.codePointAt(start) ?? 0).length : end,
      };
      found.push(each);
      latest.set(term, each);
    }
    if (found.length >= MOST_FOUND) break;
    const place = Math.min(...Array.from(latest.values(), (last) => last.start));
    // A place with all terms. What follows its excerpt is not shown.
    if (latest.size === terms.length && end <= place + LENGTH - LEAD)
      enough = Math.min(enough, place + LENGTH);
  }
  return found;
}

function cut(text: string, place: number, found: readonly Found[]): SearchExcerpt {
  const start = moveToSpace(text, Math.max(0, place - LEAD), 1);
  const end = moveToSpace(text, Math.min(text.length, start + LENGTH), -1);
  const before = start > 0 ? '…' : '';
  const after = end < text.length ? '…' : '';
  const words = text.slice(start, end);
  const shift = before.length - start;
  const marks: { start: number; end: number }[] = [];
  for (const each of found) {
    if (each.end <= start || each.start >= end) continue;
    const mark = { start: Math.max(each.start, start) + shift, end: Math.min(each.end, end) + shift };
    const last = marks.at(-1);
    if (last && mark.start <= last.end) last.end = Math.max(last.end, mark.end);
    else marks.push(mark);
  }
  return { text: `${before}${words}${after}`, marks };
}

/** One for one, so that the places stay what they are. */
function inOneLine({ text, marks }: SearchExcerpt): SearchExcerpt {
  return { text: text.replaceAll(/\s/g, ' '), marks };
}

/** Moves a cut to a space nearby, or else out of the middle of a character. */
function moveToSpace(text: string, place: number, direction: 1 | -1): number {
  if (place === 0 || place === text.length) return place;
  for (let moved = 0; moved < CUT; moved += 1) {
    const at = place + moved * direction;
    if (/\s/.test(text.charAt(direction === 1 ? at - 1 : at))) return at;
  }
  return /^[\uDC00-\uDFFF]/.test(text.slice(place)) ? place + direction : place;
}
