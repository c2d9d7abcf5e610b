import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { joinPieces, moveFiles, splitText, trimText, type Piece, type Placed } from './message-order.js';

interface Named extends Placed {
  readonly name: string;
}
const file = (name: string): Piece<Named> => ({ file: { name } });
const said = (text: string): Piece<Named> => ({ text });

describe('the order of texts and files in a message', () => {
  it('is kept by the place of each file in the joined text', () => {
    const pieces = [said('Compare'), file('a'), said('with'), file('b'), file('c')];
    const { text, files } = joinPieces(pieces, '\n\n');
    expect(text).toBe('Compare\n\nwith');
    expect(files).toEqual([
      { name: 'a', at: 9 },
      { name: 'b', at: 13 },
      { name: 'c', at: 13 },
    ]);
  });

  it('names no place for files before all text, as in messages that were stored without one', () => {
    expect(joinPieces([file('a'), said('Look')], '\n').files).toEqual([{ name: 'a' }]);
    expect(splitText<Named>('Look', [{ name: 'a' }])).toEqual([file('a'), said('Look')]);
    expect(splitText<Named>('', [{ name: 'a' }])).toEqual([file('a')]);
    expect(splitText('Look')).toEqual([said('Look')]);
  });

  it('is the same after white space around the text is removed', () => {
    const { text, files } = joinPieces(
      [file('a'), said(' \n Look '), file('b'), said('there '), file('c')],
      '\n',
    );
    const trimmed = trimText(text, files);
    expect(trimmed.text).toBe('Look \nthere');
    expect(
      splitText(trimmed.text, trimmed.files).map((piece) => ('text' in piece ? piece.text : piece.file.name)),
    ).toEqual(['a', 'Look ', 'b', 'there', 'c']);
  });

  it('says each word once, whatever the places are', () => {
    const places = [-5, 1, Number.MAX_SAFE_INTEGER];
    const pieces = splitText(
      'Look',
      places.map((at) => ({ name: String(at), at })),
    );
    expect(pieces.flatMap((piece) => ('text' in piece ? [piece.text] : []))).toEqual(['L', 'ook']);
  });

  it('survives joining and splitting, whatever the message', () => {
    const text = fc.string({ minLength: 1 }).filter((words) => !words.endsWith('\n'));
    // Two texts in a row come back as one.
    const pieces = fc
      .array(fc.record({ text, files: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }))
      .map((turns) => turns.flatMap((turn) => [said(turn.text), ...turn.files.map(file)]));
    fc.assert(
      fc.property(pieces, fc.constantFrom('\n', '\n\n'), (given, separator) => {
        const joined = joinPieces(given, separator);
        const back = splitText(joined.text, joined.files).map((piece) =>
          'text' in piece ? piece : file(piece.file.name),
        );
        expect(back).toEqual(given);
      }),
    );
  });
});

describe('files of a text that is changed', () => {
  /** Moves files from the places that `[a]`, `[b]`, … have, and shows where they are then. */
  function move(before: string, after: string): string[] {
    const files: { readonly name: string; readonly at: number }[] = [];
    const text = before.split(/(\[\w\])/).reduce((said, part) => {
      if (!/^\[\w\]$/.test(part)) return said + part;
      files.push({ name: part, at: said.length });
      return said;
    }, '');
    return splitText(after, moveFiles(text, after, files)).map((piece) =>
      'text' in piece ? piece.text : piece.file.name,
    );
  }

  it('stay between the words around them', () => {
    expect(move('One\n\n[a]Two\n\n[b]Three', 'One more\n\nTwo\n\nThree')).toEqual([
      'One more',
      '[a]',
      'Two',
      '[b]',
      'Three',
    ]);
    expect(move('[a]One', 'Zero\n\nOne')).toEqual(['[a]', 'Zero\n\nOne']);
    expect(move('One\n\n[a]', 'One')).toEqual(['One', '[a]']);
  });

  it('break no word where theirs are gone', () => {
    expect(move('Compare this\n\n[a]with that', 'Contrast')).toEqual(['Contrast', '[a]']);
    expect(move('Compare this\n\n[a]with that\n\nBye', 'Contrast\n\nBye')).toEqual([
      'Contrast',
      '[a]',
      'Bye',
    ]);
    // The two faces begin with the same half.
    expect(move('\u{1F600} one\n\n[a]two', '\u{1F601} else')).toEqual(['\u{1F601} else', '[a]']);
  });

  it('stand where they stood in a text whose lines end otherwise', () => {
    expect(move('One\r\n\r\n[a]Two\r\n\r\n[b]Three', 'One\n\nTwo\n\nThree!')).toEqual([
      'One',
      '[a]',
      'Two',
      '[b]',
      'Three!',
    ]);
  });

  it('leave every line as it was written', () => {
    const line = fc.stringMatching(/^[ab😀😁]{1,4}$/u);
    const texts = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n\n'));
    fc.assert(
      fc.property(texts, texts, fc.array(fc.nat(20)), (before, after, places) => {
        const files = places.map((at) => ({ at }));
        const said = splitText(after, moveFiles(before, after, files)).flatMap((piece) =>
          'text' in piece ? [piece.text] : [],
        );
        if (before !== after) expect(said.join('\n\n')).toBe(after);
      }),
    );
  });
});
