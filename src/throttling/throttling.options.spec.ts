import { describe, expect, it } from '@jest/globals';
import { toLimits } from './throttling.options.js';

describe('toLimits', () => {
  it('fills in default limits', () => {
    expect(toLimits({})).toEqual({ startsPerMinute: 60, maxOpenStreams: 20 });
    expect(toLimits({ maxOpenStreams: 1 })).toEqual({ startsPerMinute: 60, maxOpenStreams: 1 });
  });

  it('refuses invalid throttling limits and names all of them', () => {
    const asked = () => toLimits({ startsPerMinute: 0.5, maxOpenStreams: Number.NaN });
    expect(asked).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(asked).toThrow(/startsPerMinute must be .*, not 0\.5\.\n.*maxOpenStreams must be .*, not NaN/);
  });
});
