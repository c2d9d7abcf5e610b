import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cutText } from './cut-text.js';

describe('cutText', () => {
  it('returns a text unchanged while its bytes fit', () => {
    expect(cutText('äöü', 6)).toBe('äöü');
    expect(cutText('', 6)).toBe('');
  });

  it('cuts a text between two characters and says how many characters there were', () => {
    expect(cutText('ab😀cd', 5)).toBe('ab\n\n[Cut: these are the first 2 of 6 characters.]');
  });

  it('keeps no more bytes of a text than allowed, and no half character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 30 }), (text, maxBytes) => {
        const cut = cutText(text, maxBytes);
        if (cut === text) return;
        const kept = cut.slice(0, cut.lastIndexOf('\n\n[Cut'));
        expect(text.startsWith(kept)).toBe(true);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(maxBytes);
        expect(kept.isWellFormed()).toBe(text.isWellFormed() || kept.isWellFormed());
      }),
    );
  });
});
