import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { toPlainExcerpt } from './plain-excerpt.js';
import { findExcerpt } from './search-excerpt.js';
import { parseSearch } from './search-words.js';

/** Finds words in an answer, and returns the excerpt with the marks in brackets. */
function find(answer: string, search: string): string {
  const { text, marks } = findExcerpt(answer, parseSearch(search), true)!.excerpt;
  return marks.reduceRight(
    (shown, { start, end }) => `${shown.slice(0, start)}<${shown.slice(start, end)}>${shown.slice(end)}`,
    text,
  );
}

describe('the excerpt of an answer', () => {
  it.each([
    ['# The **zebra** runs', 'The <zebra> runs'],
    ['- *Zebra*, ~~lion~~\n- `horse`', '<Zebra>, lion horse'],
    ['> See [the zebra](https://example.com/a_b) now', 'See the <zebra> now'],
    ['![A zebra](zebra.png) here', 'A <zebra>](<zebra>.png) here'],
    ['| Animal | Legs |\n|---|--:|\n| zebra | 4 |', 'Animal Legs <zebra> 4'],
    ['```js\nconst zebra = 2 * 3;\n```\nDone', 'const <zebra> = 2 * 3; Done'],
    ['A \\*zebra\\* and snake_case_zebra 2*3', 'A *<zebra>* and snake_case_<zebra> 2*3'],
    ['___\n__zebra__ and (*lion*).', '<zebra> and (lion).'],
    ['1. zebra\n2. lion', '1. <zebra> 2. lion'],
    ['a - zebra - b, #1 > #2', 'a - <zebra> - b, #1 > #2'],
  ])('has the words of %j as they are read', (answer, shown) => {
    expect(find(answer, 'zebra')).toBe(shown);
  });

  it('has a word that was found in the address of a link', () => {
    expect(find('See [here](https://zebra.example).', 'zebra')).toBe('See here](https://<zebra>.example).');
  });

  it('marks the same letters as in the text, whatever the text', () => {
    const signs = fc.constantFrom(
      '*',
      '_',
      '`',
      '|',
      '[',
      '](',
      ')',
      '\n',
      '# ',
      '- ',
      ' ',
      'a',
      'zebra',
      '\\',
      '…',
    );
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const marks = [...text.matchAll(/zebra/g)].map(({ index }) => ({ start: index, end: index + 5 }));
        const plain = toPlainExcerpt({ text, marks });
        expect(plain.marks.map(({ start, end }) => plain.text.slice(start, end))).toEqual(
          marks.map(() => 'zebra'),
        );
      }),
    );
  });
});
