import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { joinPieces, splitText, trimText, type Piece, type Placed } from './message-order.js';

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
