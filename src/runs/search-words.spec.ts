// cspell:ignore Größe İstanbul ΟΔΟΣ οδοσ οδός Ｗｉｄｅ
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { findExcerpt } from './search-excerpt.js';
import { collectWords, isMatch, listWords, parseSearch } from './search-words.js';

const words = (text: string) => Array.from(listWords(text), ({ word }) => word);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(
      fc.constantFrom(
        'a',
        'É',
        'ß',
        ' ',
        '\n',
        '"',
        '*',
        "'",
        'ﷺ',
        '京',
        '都',
        'ก',
        'ู',
        '😀',
        '\uD800',
        '\0',
        '-',
      ),
    )
    .map((parts) => parts.join('')),
);

/** Returns the beginning of a word, of so many characters or a few more: a letter that Unicode composes is not cut apart. */
function takeLetters(word: string, count: number): string {
  const characters = Array.from(word);
  const isWhole = (at: number) => {
    const [begun, rest] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
    return begun.normalize('NFKC') + rest.normalize('NFKC') === word.normalize('NFKC');
  };
  let at = Math.min(count, characters.length);
  while (!isWhole(at)) at += 1;
  return characters.slice(0, at).join('');
}

describe('words of a search', () => {
  it('are folded: without case, accents and typographic variants', () => {
    expect(words('Größe, ÉTÉ; ΟΔΟΣ οδός İstanbul ﬁne Ｗｉｄｅ x²')).toEqual([
      'grosse',
      'ete',
      'οδοσ',
      'οδοσ',
      'istanbul',
      'fine',
      'wide',
      'x2',
    ]);
  });

  it('are split at every sign, and are never more than their letters', () => {
    expect(words("anna@example.com/it's foo_bar-baz 3.14")).toEqual([
      'anna',
      'example',
      'com',
      'it',
      's',
      'foo',
      'bar',
      'baz',
      '3',
      '14',
    ]);
    fc.assert(
      fc.property(anyText, (text) => {
        for (const word of collectWords([text])) expect(word).toMatch(/^[\p{L}\p{N}\p{M}]{1,40}$/u);
      }),
    );
  });

  it('are pairs of characters where a script has no spaces', () => {
    expect(words('東京都とabc')).toEqual(['東京', '京都', '都と', 'と', 'abc']);
    expect(parseSearch('東京都').map(({ word }) => word)).toEqual(['東京', '京都']);
    expect(parseSearch('都')).toEqual([{ word: '都', isPrefix: true }]);
  });

  it('are the same whether a letter and its marks are one character or several', () => {
    expect(words('がくせい'.normalize('NFD'))).toEqual(words('がくせい'));
    expect(words('ｶﾞｸｾｲ')).toEqual(words('ガクセイ'));
    expect(words('ḳ²'.normalize('NFD'))).toEqual(['k2']);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(collectWords([text.normalize('NFD')])).toEqual(collectWords([text.normalize('NFC')]));
      }),
    );
  });

  it('take the last word of a search as a beginning, and none of the others', () => {
    expect(parseSearch(' "two* AND (words')).toEqual([
      { word: 'two', isPrefix: false },
      { word: 'and', isPrefix: false },
      { word: 'words', isPrefix: true },
    ]);
    expect(parseSearch('"*:!&|() -')).toEqual([]);
    expect(parseSearch('a '.repeat(50))).toHaveLength(10);
  });

  it('find every text by any stretch of its own letters', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.nat({ max: 20 }), (text, place, length) => {
        const stretches = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
        const stretch = stretches[place % (stretches.length || 1)];
        if (stretch === undefined) return;
        const terms = parseSearch(takeLetters(stretch, length + 1));
        const found = collectWords([text]);
        for (const term of terms) expect([...found].some((word) => isMatch(word, term))).toBe(true);
        const excerpt = findExcerpt(text, terms);
        if (terms.length > 0) expect(excerpt?.count).toBe(terms.length);
      }),
    );
  });

  it('are marked in an excerpt of bounded length, in order and apart from each other', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 20 }), anyText, (texts, search) => {
        const found = findExcerpt(texts.join(' '), parseSearch(search));
        if (!found) return;
        const { text, marks } = found.excerpt;
        expect(text.length).toBeLessThanOrEqual(164);
        expect(marks.length).toBeGreaterThan(0);
        let end = -1;
        for (const mark of marks) {
          expect(mark.start).toBeGreaterThan(end);
          expect(mark.end).toBeGreaterThan(mark.start);
          expect(mark.end).toBeLessThanOrEqual(text.length);
          end = mark.end;
        }
      }),
    );
  });

  it('count for each term that they are found by', () => {
    // The first term is the beginning of the last one, too.
    expect(findExcerpt('กaก京', parseSearch('กaก京'))?.count).toBe(3);
    const found = findExcerpt('A lion.', parseSearch('lion lio'));
    expect(found).toEqual({ excerpt: { text: 'A lion.', marks: [{ start: 2, end: 6 }] }, count: 2 });
  });

  it('choose the part of a text that has most of them', () => {
    const text = `zebra ${'x '.repeat(200)} a lion and a zebra ${'y '.repeat(200)} lion`;
    const found = findExcerpt(text, parseSearch('zebra lion'));
    expect(found?.excerpt.text).toContain('a lion and a zebra');
    expect(found?.excerpt.marks).toHaveLength(2);
  });
});
