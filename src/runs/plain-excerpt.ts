import type { SearchExcerpt } from './search-excerpt.ts';

/** What Markdown writes for its viewer, and readers do not see. Each alternative is linear, and its repetitions are limited. */
const SIGNS = new RegExp(
  [
    // A fence of code, the line below a table's head, a rule.
    String.raw`^[ \t]{0,9}(?:\x60{3,9}|~{3,9})[\w+-]{0,30}[ \t]*$`,
    String.raw`^[ \t|:-]*(?:-{3}|_{3}|\*{3})[ \t|:_*-]*$`,
    // A heading, a quotation, an item of a list.
    String.raw`^[ \t…]{0,9}(?:#{1,6}|>|[-*+])[ \t]`,
    // A link or an image: its words stay.
    String.raw`!?\[(?=[^[\]\n]{1,200}\]\()`,
    String.raw`\]\([^()\s]{1,500}(?:\)|…$)`,
    // Emphasis, and code within a line.
    String.raw`(?<![\\\p{L}\p{N}])(?:\*{1,3}|_{1,3})(?=[\p{L}\p{N}\x60"'([])`,
    String.raw`(?<=[\p{L}\p{N}\x60"'.,:;!?)\]])(?:\*{1,3}|_{1,3})(?![\p{L}\p{N}])`,
    String.raw`(?<!\\)(?:~~|\x60{1,9})`,
    String.raw`\\(?=[\\*_[\]()#+.!|>~\x60-])`,
    // The border of a cell.
    String.raw`(?<!\\)\|`,
  ].join('|'),
  'gmu',
);

/** Returns the excerpt of a Markdown text as its readers see it. What a search has found stays, also in a sign, as in the address of a link. Pure. */
export function toPlainExcerpt({ text, marks }: SearchExcerpt): SearchExcerpt {
  const isGone = Array.from({ length: text.length }, () => false);
  for (const { index, 0: sign } of text.matchAll(SIGNS)) {
    const end = index + sign.length;
    if (marks.every((mark) => mark.end <= index || mark.start >= end)) isGone.fill(true, index, end);
  }
  let plain = '';
  /** The place of each character in the plain text. */
  const places: number[] = [];
  for (const [at, character] of text.split('').entries()) {
    places.push(plain.length);
    // What a sign stood between is one space.
    const isSpace = /\s/.test(character);
    if (!isGone[at] && !(isSpace && (plain === '' || plain.endsWith(' '))))
      plain += isSpace ? ' ' : character;
  }
  places.push(plain.length);
  const toPlace = (at: number) => places[at] ?? plain.length;
  return {
    text: plain.trimEnd(),
    marks: marks.map(({ start, end }) => ({ start: toPlace(start), end: toPlace(end) })),
  };
}
