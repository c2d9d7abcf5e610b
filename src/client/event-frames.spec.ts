import { describe, expect, it } from '@jest/globals';
import { applyEvent, emptyView } from '../events/run-view.js';
import { readEvent } from './event-frames.js';

const ARRIVAL = 90_000;
const START = { type: 'tool-start', toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm', label: 'L' };

describe('readEvent', () => {
  it('takes the recorded time of a replayed tool start, not the time of the replay', () => {
    const frame = { lastEventId: 'run.1.7', data: JSON.stringify({ ...START, at: 12_345 }) };
    const recorded = readEvent(frame, 'thread', ARRIVAL)!;
    expect(recorded).toEqual({
      runId: 'run',
      threadId: 'thread',
      epoch: 1,
      seq: 7,
      at: 12_345,
      event: START,
    });
    expect(applyEvent(emptyView('run'), recorded).parts).toMatchObject([{ startedAt: 12_345 }]);
  });

  it('takes the arrival time for text, which carries no time', () => {
    const delta = { type: 'text-delta', partId: 'p', delta: 'Hel' };
    const frame = { lastEventId: 'run.2.9', data: JSON.stringify(delta) };
    expect(readEvent(frame, 'thread', ARRIVAL)).toMatchObject({
      epoch: 2,
      seq: 9,
      at: ARRIVAL,
      event: delta,
    });
  });

  it.each(['', '17', 'run.1.0', 'run.X.1'])('ignores a frame whose id is %j', (id) => {
    expect(readEvent({ lastEventId: id, data: JSON.stringify(START) }, 'thread', ARRIVAL)).toBeUndefined();
  });
});
