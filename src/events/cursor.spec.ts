import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { formatCursor, parseCursor, startCursor } from './cursor.js';

describe('parseCursor and formatCursor', () => {
  it('parses every formatted cursor back to the same values', () => {
    const alphabet = fc.constantFrom('a', 'Z', '0', '9', '_', '-');
    const runIds = fc.array(alphabet, { minLength: 1, maxLength: 64 }).map((letters) => letters.join(''));
    const numbers = fc.integer({ min: 1, max: 9_999_999_999 });
    const epochs = fc.integer({ min: 1, max: 36 ** 10 - 1 });
    fc.assert(
      fc.property(runIds, epochs, numbers, (runId, epoch, seq) => {
        expect(parseCursor(formatCursor({ runId, epoch, seq }))).toEqual({ runId, epoch, seq });
      }),
    );
  });

  it('formats the position before the first event as a cursor', () => {
    expect(formatCursor(startCursor('r1'))).toBe('r1.0.0');
    expect(parseCursor('r1.0.0')).toEqual(startCursor('r1'));
  });

  it('keeps event ids short', () => {
    expect(formatCursor({ runId: 'r1', epoch: 2 ** 32, seq: 120 })).toBe('r1.1z141z4.120');
  });

  it.each([
    ['nothing', ''],
    ['too few parts', 'r1.1'],
    ['too many parts', 'r1.1.1.1'],
    ['no run', '.1.1'],
    ['a leading zero', 'r1.01.1'],
    ['a sign', 'r1.+1.1'],
    ['a negative seq', 'r1.1.-1'],
    ['an exponent', 'r1.1.1e3'],
    ['a fraction', 'r1.1.1.5'],
    ['a number beyond ten digits', 'r1.1.99999999999'],
    ['an epoch beyond ten digits', 'r1.10000000000.1'],
    ['a capital', 'r1.A.1'],
    ['a letter in a seq', 'r1.1.a'],
    ['an epoch without a seq', 'r1.1.0'],
    ['a seq without an epoch', 'r1.0.1'],
    ['a space', 'r1.1.1 '],
    ['a line feed', 'r1.1.1\n'],
    ['a carriage return inside', 'r1\r.1.1'],
    ['a NUL', 'r1\0.1.1'],
    ['digits of another script', 'r1.١.١'],
    ['a run id that is too long', `${'r'.repeat(65)}.1.1`],
  ])('refuses a cursor with %s', (_, eventId) => {
    expect(parseCursor(eventId)).toBeUndefined();
  });

  it('accepts only cursors that formatCursor could have written', () => {
    const likely = fc.stringMatching(/^[a-z.\d-]{0,4}[.][a-z\d.]{0,4}[.][\d.]{0,4}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), likely), (eventId) => {
        const cursor = parseCursor(eventId);
        if (cursor) expect(formatCursor(cursor)).toBe(eventId);
      }),
      { numRuns: 1_000 },
    );
  });
});
