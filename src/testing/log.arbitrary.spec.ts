import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkLog } from './history/log.checks.js';
import { continuedRuns, runLogs } from './log.arbitrary.js';

describe('random logs', () => {
  it('are logs as runs leave them', () => {
    fc.assert(fc.property(runLogs(), (log) => expect(checkLog(log)).toEqual([])));
  });

  it('go on after approvals as runs do', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before, approvals, log }) => {
        expect([...checkLog(before), ...checkLog(log)]).toEqual([]);
        expect(before.at(-1)?.event).toMatchObject({ outcome: 'awaiting-approval' });
        expect(approvals).not.toHaveLength(0);
      }),
    );
    const made = fc
      .sample(continuedRuns({ maxMoves: 60 }), { numRuns: 50, seed: 1 })
      .map(({ approvals, log }) => {
        const calls = new Set(approvals.map(({ toolCallId }) => toolCallId));
        return log.some(({ event }) => event.type === 'tool-end' && calls.has(event.toolCallId));
      });
    expect(made).toContain(true);
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
