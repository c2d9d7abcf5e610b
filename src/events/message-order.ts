/** The place of a file in a person's message. */
export interface Placed {
  /** Number of UTF-16 code units of the text that come before it. Default 0: before all text. */
  readonly at?: number | undefined;
}

/** A part of a message, in its order. */
export type Piece<File> = { readonly text: string } | { readonly file: File };

export type PlacedIn<File> = File & { readonly at?: number };

/**
 * Joins the texts of a message, and notes the place of each file in them. A file before all text has none.
 *
 * @param separator newlines between two texts: one or two, as {@link splitText} removes them
 */
export function joinPieces<File extends object>(
  pieces: readonly Piece<File>[],
  separator: '\n' | '\n\n',
): { readonly text: string; readonly files: PlacedIn<File>[] } {
  let text: string | undefined;
  const placed: { readonly file: File; readonly next: number }[] = [];
  for (const piece of pieces) {
    if ('text' in piece) text = text === undefined ? piece.text : text + separator + piece.text;
    else placed.push({ file: piece.file, next: text === undefined ? 0 : text.length + separator.length });
  }
  return trimTo({ whole: text ?? '', placed }, text ?? '');
}

/** Removes white space around the text, and moves the places of the files with it. */
export function trimText<File extends Placed>(
  text: string,
  files: readonly File[],
): { readonly text: string; readonly files: PlacedIn<File>[] } {
  return trimTo({ whole: text, placed: files.map((file) => ({ file, next: file.at ?? 0 })) }, text.trim());
}

/** Returns the texts and the files of a message in their order. Texts that are empty are left out. */
export function splitText<File extends Placed>(text: string, files: readonly File[] = []): Piece<File>[] {
  const pieces: Piece<File>[] = [];
  const say = (words: string) => {
    if (words !== '') pieces.push({ text: words });
  };
  let from = 0;
  for (const file of files.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))) {
    const at = Math.min(Math.max(file.at ?? 0, from), text.length);
    say(text.slice(from, at).replace(/\n{1,2}$/, ''));
    pieces.push({ file });
    from = at;
  }
  say(text.slice(from));
  return pieces;
}

/**
 * Moves the places of files with the words around them, after the text was changed. A file whose words are gone stands where they were. None comes to stand
 * within a line: where the message is taken apart into its pieces, a word would be broken.
 */
export function moveFiles<File extends Placed>(
  before: string,
  after: string,
  files: readonly File[],
): PlacedIn<File>[] {
  const toPlace = before === after ? (at: number) => at : followWords(before, after);
  return files.map(({ at = 0, ...facts }) => {
    const place = toPlace(at);
    return { ...facts, ...(place > 0 && { at: place }) } as PlacedIn<File>;
  });
}

function followWords(given: string, after: string): (at: number) => number {
  // A text field of a browser has line feeds alone.
  const toLines = (text: string) => (after.includes('\r') ? text : text.replaceAll(/\r\n?/g, '\n'));
  const before = toLines(given);
  const most = Math.min(before.length, after.length);
  let same = 0;
  while (same < most && before[same] === after[same]) same += 1;
  let end = 0;
  while (end < most - same && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return (at) => {
    const place = toLines(given.slice(0, at)).length;
    if (place <= same) return toLineEnd(after, place);
    return toLineEnd(after, place < before.length - end ? same : place - before.length + after.length);
  };
}

/** Returns the place behind the line that a place is in, or the place itself, where a line begins or all text ends. */
function toLineEnd(text: string, at: number): number {
  if (at === 0 || text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  if (end === -1) return text.length;
  return text[end + 1] === '\n' ? end + 2 : end + 1;
}

/** @param kept what is left of the whole text: all but white space around it */
function trimTo<File extends object>(
  { whole, placed }: { readonly whole: string; readonly placed: readonly { file: File; next: number }[] },
  kept: string,
): { readonly text: string; readonly files: PlacedIn<File>[] } {
  const cut = whole.indexOf(kept);
  const files = placed.map(({ file, next }) => {
    const at = Math.min(Math.max(next - cut, 0), kept.length);
    const { at: _, ...facts } = file as File & Placed;
    return { ...facts, ...(at > 0 && { at }) } as PlacedIn<File>;
  });
  return { text: kept, files };
}
