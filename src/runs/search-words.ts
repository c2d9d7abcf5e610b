// Pure, and without imports: the thread of the embedded storage loads it as it is.

/** A word of a text as the index has it, and its place in the text, in UTF-16 code units. */
export interface FoundWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** True for a character of a script without spaces, with the one after it. */
  readonly isPair?: boolean;
}

/** A word to look for. */
export interface SearchTerm {
  readonly word: string;
  /** True if words that begin with it are found as well. */
  readonly isPrefix: boolean;
}

/** A stretch of a text without any sign between its letters. */
interface Stretch extends FoundWord {
  /** True for scripts that put no space between words. */
  readonly isUnspaced: boolean;
}

const LETTERS = /[\p{L}\p{N}\p{M}]+/gu;
const OTHERS = /[^\p{L}\p{N}\p{M}]+/gu;
const UNSPACED_SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar'];
const UNSPACED_LETTER = UNSPACED_SCRIPTS.map((name) => `\\p{scx=${name}}`).join('|');
const ACCENT = '[\\u0300-\\u036f]';
/** An accent belongs to the letter before it, although some are of scripts without spaces as well. */
const UNSPACED = new RegExp(`(?!${ACCENT})(?:${UNSPACED_LETTER})(?:${UNSPACED_LETTER}|${ACCENT})*`, 'gu');
const ACCENTS = new RegExp(`${ACCENT}+`, 'g');
/** Marks, with those of narrow Katakana, which are letters of their own. */
const MARK = /^[\p{M}\uff9e\uff9f]/u;
const ASCII = /^[\0-\x7f]*$/;

/** Characters of a word that are compared. */
const WORD_LENGTH = 40;

/** Terms of a search that count. */
const MOST_TERMS = 10;

/** Characters of a question, and of an answer, that can be found. */
export const INDEXED_CHARACTERS = 32 * 1024;

/** Different words of a run that can be found, and the characters that they take together. */
const MOST_WORDS = 8_000;
const MOST_WORD_CHARACTERS = 128 * 1024;

/** Lists the words of a text, folded as {@link fold} does. Of scripts without spaces, each pair of neighbouring characters is a word. */
export function* listWords(text: string): Generator<FoundWord> {
  for (const stretch of listStretches(text)) {
    if (!stretch.isUnspaced) yield stretch;
    else yield* listPairs(stretch);
  }
}

/** Returns the different words of texts that can be found, up to a limit. */
export function collectWords(texts: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>();
  let room = MOST_WORD_CHARACTERS;
  for (const text of texts) {
    for (const word of splitWords(text.slice(0, INDEXED_CHARACTERS))) {
      if (words.has(word)) continue;
      room -= word.length;
      if (room < 0 || words.size === MOST_WORDS) return words;
      words.add(word);
    }
  }
  return words;
}

/** Yields the words that {@link listWords} lists. Those of ASCII without the place of each, which takes a third of the time. */
function* splitWords(text: string): Generator<string> {
  if (ASCII.test(text))
    for (const word of text.toLowerCase().match(/[a-z0-9]+/g) ?? []) yield word.slice(0, WORD_LENGTH);
  else for (const { word } of listWords(text)) yield word;
}

/** Reads what a person looks for. All terms have to be found; the last one may be the beginning of a word. Empty if it has no letter. */
export function parseSearch(search: string): readonly SearchTerm[] {
  const stretches = [...listStretches(search)];
  const terms = stretches.flatMap((stretch, index): readonly SearchTerm[] => {
    const isLast = index === stretches.length - 1;
    if (!stretch.isUnspaced) return [{ word: stretch.word, isPrefix: isLast }];
    const pairs = [...listPairs(stretch)];
    // The last one is a character by itself: it begins a pair wherever something follows it.
    const whole = pairs.length > 1 ? pairs.slice(0, -1) : pairs;
    return whole.map(({ word }) => ({ word, isPrefix: pairs.length === 1 }));
  });
  return terms.slice(0, MOST_TERMS);
}

export function isMatch(word: string, term: SearchTerm): boolean {
  return term.isPrefix ? word.startsWith(term.word) : word === term.word;
}

/** Lists the stretches of letters, split where their script changes between one with and one without spaces. */
function* listStretches(text: string): Generator<Stretch> {
  for (const { 0: letters, index } of text.matchAll(LETTERS)) {
    if (ASCII.test(letters)) {
      yield toStretch(letters, index, false);
      continue;
    }
    let end = 0;
    for (const { 0: unspaced, index: start } of letters.matchAll(UNSPACED)) {
      if (start > end) yield* toSpaced(letters.slice(end, start), index + end);
      yield toStretch(unspaced, index + start, true);
      end = start + unspaced.length;
    }
    if (end < letters.length) yield* toSpaced(letters.slice(end), index + end);
  }
}

function* toSpaced(letters: string, start: number): Generator<Stretch> {
  const stretch = toStretch(letters, start, false);
  // It may have been a mark without its letter.
  if (stretch.word !== '') yield stretch;
}

function toStretch(letters: string, start: number, isUnspaced: boolean): Stretch {
  const word = isUnspaced ? letters : shorten(fold(letters));
  return { word, start, end: start + letters.length, isUnspaced };
}

function* listPairs({ word: letters, start }: Stretch): Generator<FoundWord> {
  const characters = splitCharacters(letters);
  let place = start;
  for (const [index, character] of characters.entries()) {
    const next = characters[index + 1] ?? '';
    const word = fold(character + next);
    if (word !== '') yield { word, start: place, end: place + character.length + next.length, isPair: true };
    place += character.length;
  }
}

/** Returns the characters of a script without spaces. A letter with a mark that has a form in one piece is one character in either form. */
function splitCharacters(letters: string): string[] {
  const characters: string[] = [];
  for (const character of letters) {
    const joined = MARK.test(character) && `${characters.at(-1) ?? ''}${character}`;
    if (joined && Array.from(fold(joined)).length === 1) characters.splice(-1, 1, joined);
    else characters.push(character);
  }
  return characters;
}

/** Returns letters without case, accents and typographic variants. */
function fold(letters: string): string {
  if (ASCII.test(letters)) return letters.toLowerCase();
  return letters
    .normalize('NFKD')
    .replaceAll(ACCENTS, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .replaceAll(OTHERS, '')
    .normalize('NFC');
}

function shorten(word: string): string {
  return word.length <= WORD_LENGTH ? word : Array.from(word).slice(0, WORD_LENGTH).join('');
}
