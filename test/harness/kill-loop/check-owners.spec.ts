import { describe, expect, it } from '@jest/globals';
import type { RunEvent } from '../../../src/events/run-event.js';
import { recordedAll } from '../../../src/runs/run.testing.js';
import { checkOwners } from './check-owners.js';

const resume = { type: 'run-resume', reason: 'takeover', attempt: 2 } as unknown as RunEvent;
const start = { type: 'run-start' } as unknown as RunEvent;
/** At 1,000, 1,001 and 1,002 ms. */
const log = recordedAll([start, resume, resume]);

describe('the check of owners', () => {
  it('finds nothing where a process has died before each takeover', () => {
    const outages = [
      { from: 1_000, to: 1_001 },
      { from: 1_002, to: 1_010 },
    ];
    expect(checkOwners(log, outages)).toEqual([]);
  });

  it('finds each takeover that no death had come before', () => {
    expect(checkOwners(log, [])).toHaveLength(2);
    expect(checkOwners(log, [{ from: 900, to: 1_000 }])).toHaveLength(1);
  });
});
