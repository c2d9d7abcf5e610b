import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkLog } from './history/log.checks.js';
import { runLogs } from './log.arbitrary.js';

describe('random logs', () => {
  it('are logs as runs leave them', () => {
    fc.assert(fc.property(runLogs(), (log) => expect(checkLog(log)).toEqual([])));
  });

  it('have everything that a run can have', () => {
    const logs = fc.sample(runLogs({ maxMoves: 80 }), { numRuns: 300, seed: 1 });
    const types = new Set(logs.flat().map(({ event }) => event.type));
    expect([...types].toSorted()).toEqual([
      'approval-answer',
      'approval-request',
      'custom',
      'end',
      'reasoning-delta',
      'reasoning-end',
      'reasoning-start',
      'run-resume',
      'run-start',
      'step-end',
      'step-reset',
      'step-start',
      'text-delta',
      'text-end',
      'text-start',
      'tool-end',
      'tool-progress',
      'tool-start',
      'usage',
    ]);
  });
});
