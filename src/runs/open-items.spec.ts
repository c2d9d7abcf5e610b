import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RunEvent } from '../events/run-event.js';
import { runLogs } from '../../test/harness/log-arbitrary.js';
import { closingEvents, NOTHING_OPEN, trackOpen, type OpenItems } from './open-items.js';

const openAfter = (events: readonly RunEvent[]): OpenItems =>
  events.reduce((open, event, index) => trackOpen(open, event, 1_000 + index), NOTHING_OPEN);

/** The starts that nothing has ended: neither their own end nor a reset of their step. Told without {@link trackOpen}. */
function withoutEnd(events: readonly RunEvent[]): RunEvent[] {
  return events.filter((start, index) => {
    if (!start.type.endsWith('-start') || !('stepId' in start)) return false;
    const idName = ['partId', 'toolCallId', 'stepId'].find((name) => name in start) as string;
    const getId = (event: RunEvent) => (event as unknown as Record<string, unknown>)[idName];
    const endType = start.type.replace('-start', '-end');
    const ends = (event: RunEvent) =>
      event.type === 'step-reset'
        ? event.stepId === start.stepId
        : event.type === endType && getId(event) === getId(start);
    return !events.slice(index + 1).some(ends);
  });
}

describe('trackOpen and closingEvents', () => {
  it('closes every open item exactly once, wherever a log stops', () => {
    fc.assert(
      fc.property(runLogs(), fc.nat(), (log, cut) => {
        const prefix = log.slice(0, cut % log.length).map(({ event }) => event);
        const ends = closingEvents(openAfter(prefix), 9_000, 'completed');
        expect(withoutEnd([...prefix, ...ends])).toEqual([]);
        // What waits for a person outlives its run.
        expect({ ...openAfter([...prefix, ...ends]), inputs: [] }).toEqual(NOTHING_OPEN);
        // Not one too many: each of them ends something, and does it once.
        expect(ends.length).toBe(withoutEnd(prefix).length);
        expect(new Set(ends.map((event) => JSON.stringify(event))).size).toBe(ends.length);
      }),
    );
  });

  it('closes inner steps before outer ones, and tools as cancelled with their duration', () => {
    const open = openAfter([
      { type: 'step-start', stepId: 'outer', name: 'o', attempt: 1 },
      { type: 'step-start', stepId: 'inner', name: 'i', attempt: 1, parentStepId: 'outer' },
      { type: 'tool-start', toolCallId: 'c', stepId: 'inner', toolName: 't', messageId: 'm', label: 'L' },
    ]);
    expect(closingEvents(open, 1_502, 'cancelled')).toEqual([
      { type: 'tool-end', toolCallId: 'c', outcome: 'cancelled', durationMs: 500 },
      { type: 'step-end', stepId: 'inner', name: 'i', attempt: 1, parentStepId: 'outer' },
      { type: 'step-end', stepId: 'outer', name: 'o', attempt: 1 },
    ]);
  });

  it('keeps open inputs except those whose call was made or taken back', () => {
    const ask = (stepId: string): RunEvent => {
      const call = { toolCallId: `call-${stepId}`, toolName: 'pay', stepId, label: 'L', input: 1 };
      return { type: 'input-request', kind: 'approval', inputId: `ok-${stepId}`, ...call };
    };
    const open = openAfter([
      ...['s1', 's2', 's3'].map(ask),
      { type: 'step-reset', stepId: 's1', attempt: 2, reason: 'takeover' },
      { type: 'tool-start', toolCallId: 'call-s2', stepId: 's2', toolName: 't', messageId: 'm', label: 'L' },
      {
        type: 'end',
        outcome: 'awaiting-input',
        usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
        durationMs: 1,
      },
    ]);
    expect(open.inputs.map(({ inputId }) => inputId)).toEqual(['ok-s3']);
  });

  it('drops the open items of a step that was reset', () => {
    const open = openAfter([
      { type: 'step-start', stepId: 's', name: 'n', attempt: 1 },
      { type: 'text-start', partId: 'p', stepId: 's', messageId: 'm' },
      { type: 'step-reset', stepId: 's', attempt: 2, reason: 'takeover' },
    ]);
    expect(open).toEqual(NOTHING_OPEN);
  });

  it('returns the same open items after an event that opens and closes nothing, even an unknown one', () => {
    const open = openAfter([{ type: 'step-start', stepId: 's', name: 'n', attempt: 1 }]);
    expect(trackOpen(open, { type: 'text-delta', partId: 'p', delta: 'x' }, 1)).toBe(open);
    expect(trackOpen(open, { type: 'picture-start' } as unknown as RunEvent, 1)).toBe(open);
  });
});
