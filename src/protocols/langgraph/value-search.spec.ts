import { describe, expect, it } from '@jest/globals';
import { isSearchable, MOST_VALUES, ValueSearch } from './value-search.js';

const list = (length: number) => Array.from({ length }, (_, index) => index);

describe('ValueSearch', () => {
  it.each([
    ['the same value', { a: 1 }, { a: 1, b: 2 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['elements in another order', { a: [3, 1] }, { a: [1, 2, 3] }, true],
    ['an element that is missing', { a: [4] }, { a: [1, 2, 3] }, false],
    ['part of an object in a list', { a: [{ k: 'x' }] }, { a: [{ k: 'y' }, { k: 'x', more: 1 }] }, true],
    ['null for a key that is missing', { a: null }, {}, false],
    ['a list for an object', { a: {} }, { a: [] }, false],
    ['a name that every object inherits', { constructor: {} }, {}, false],
  ])('compares %s', (_what, wanted, state, fits) => {
    expect(new ValueSearch(wanted).fits(state)).toBe(fits);
  });

  it('refuses to go on when all states together are too large for what is wanted', () => {
    const search = new ValueSearch({ a: list(90).map((n) => -1 - n) });
    const state = { a: list(400_000) };
    expect(search.fits(state)).toBe(false);
    expect(search.fits(state)).toBe(false);
    expect(() => search.fits(state)).toThrow('Name fewer values');
    const found = new ValueSearch({ a: list(90) });
    expect(found.fits({ a: list(10_000) })).toBe(true);
  });
});

describe('isSearchable', () => {
  it('is false for more values than a search may name, however they are nested', () => {
    expect(isSearchable({ a: list(MOST_VALUES - 1) })).toBe(true);
    expect(isSearchable({ a: list(MOST_VALUES) })).toBe(false);
    expect(isSearchable({ a: [list(60), list(60)] })).toBe(false);
    expect(isSearchable(Object.fromEntries(list(MOST_VALUES + 1).map((n) => [n, n])))).toBe(false);
  });
});
