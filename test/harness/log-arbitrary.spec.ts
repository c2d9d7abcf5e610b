import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkLog } from '../../src/testing/history/log-checks.js';
import { continuedRuns, runLogs } from './log-arbitrary.js';
import { MADE_BY } from './random-run.js';

describe('log arbitraries', () => {
  it('generates logs that checkLog accepts', () => {
    fc.assert(fc.property(runLogs(), (log) => expect(checkLog(log)).toEqual([])));
  });

  it('generates continued runs that checkLog accepts, some of which make the approved call', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before, inputs, log }) => {
        expect([...checkLog(before), ...checkLog(log)]).toEqual([]);
        expect(before.at(-1)?.event).toMatchObject({ outcome: 'awaiting-input' });
        expect(inputs).not.toHaveLength(0);
      }),
    );
    const made = fc
      .sample(continuedRuns({ maxMoves: 60 }), { numRuns: 50, seed: 1 })
      .map(({ inputs, log }) => {
        const calls = new Set(inputs.map(({ toolCallId }) => toolCallId));
        return log.some(({ event }) => event.type === 'tool-end' && calls.has(event.toolCallId));
      });
    expect(made).toContain(true);
  });

  it('generates every type of event', () => {
    const logs = fc.sample(runLogs({ maxMoves: 80 }), { numRuns: 300, seed: 1 });
    const types = new Set(logs.flat().map(({ event }) => event.type));
    expect([...types].toSorted()).toEqual(Object.keys(MADE_BY).toSorted());
  });
});
