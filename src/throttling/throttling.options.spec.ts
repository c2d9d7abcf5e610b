import { describe, expect, it } from '@jest/globals';
import { limitsOf } from './throttling.options.js';

describe('the limits', () => {
  it('have defaults', () => {
    expect(limitsOf({})).toEqual({ startsPerMinute: 60, openStreams: 20 });
    expect(limitsOf({ openStreams: 1 })).toEqual({ startsPerMinute: 60, openStreams: 1 });
  });

  it('that cannot be counted to are refused, all at once', () => {
    const asked = () => limitsOf({ startsPerMinute: 0.5, openStreams: Number.NaN });
    expect(asked).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(asked).toThrow(/startsPerMinute is 0\.5.*\n.*openStreams is NaN/);
  });
});
