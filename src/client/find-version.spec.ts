import { describe, expect, it } from '@jest/globals';
import { findVersion } from './find-version.js';

describe('findVersion', () => {
  it('finds the place of a message among the versions of its turn', () => {
    const versions = ['a', 'b', 'c'];
    expect(findVersion({ runId: 'a', versions })).toEqual({ place: 1, count: 3, next: 'b' });
    expect(findVersion({ runId: 'b', versions })).toEqual({ place: 2, count: 3, previous: 'a', next: 'c' });
    expect(findVersion({ runId: 'c', versions })).toEqual({ place: 3, count: 3, previous: 'b' });
  });

  it('finds none where a turn was taken once', () => {
    expect(findVersion({ runId: 'a' })).toBeUndefined();
    expect(findVersion({ runId: 'a', versions: ['a'] })).toBeUndefined();
  });
});
