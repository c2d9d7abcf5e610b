import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { EventCache } from './event.cache.js';
import { recordedAll } from './run.testing.js';

const delta = (index: number): RunEvent => ({ type: 'text-delta', partId: 'p', delta: `w${index}` });
const END: RunEvent = {
  type: 'end',
  outcome: 'completed',
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  durationMs: 0,
};

function toLog(length: number): RecordedEvent[] {
  return recordedAll(Array.from({ length }, (_, index) => delta(index)));
}

describe('EventCache', () => {
  it('returns cached events as the same objects', () => {
    const recent = new EventCache();
    const log = toLog(5);
    recent.add('run', log.slice(0, 3));
    recent.add('run', log.slice(3));
    expect(recent.read('run', 0, 10)).toEqual(log);
    expect(recent.read('run', 2, 2)).toEqual(log.slice(2, 4));
    expect(recent.read('run', 2, 1)?.[0]).toBe(log[2]);
  });

  it('returns nothing to a reader at or beyond the last cached event', () => {
    const recent = new EventCache();
    recent.add('run', toLog(5));
    expect(recent.read('run', 4, 10)).toHaveLength(1);
    expect(recent.read('run', 5, 10)).toBeUndefined();
    expect(recent.read('run', 6, 10)).toBeUndefined();
  });

  it('returns nothing for events older than the cache, or for a run that it does not hold', () => {
    const recent = new EventCache();
    recent.add('run', toLog(5).slice(3));
    expect(recent.read('run', 2, 10)).toBeUndefined();
    expect(recent.read('run', 3, 10)).toHaveLength(2);
    expect(recent.read('other', 0, 10)).toBeUndefined();
  });

  it('returns an empty log for a run that just began here, until the run is forgotten', () => {
    const recent = new EventCache();
    recent.begin('run');
    expect(recent.read('run', 0, 10)).toEqual([]);
    expect(recent.read('run', 1, 10)).toBeUndefined();
    const log = toLog(3);
    recent.add('run', log);
    recent.begin('run');
    expect(recent.read('run', 0, 10)).toEqual(log);
    recent.forget('run');
    recent.begin('other');
    recent.forget('other');
    expect(recent.read('other', 0, 10)).toBeUndefined();
  });

  it('returns nothing for a run that was forgotten', () => {
    const recent = new EventCache();
    recent.add('run', toLog(2));
    recent.forget('run');
    expect(recent.read('run', 0, 10)).toBeUndefined();
  });

  it('drops earlier events when new ones do not follow on from them', () => {
    const recent = new EventCache();
    const log = toLog(9);
    recent.add('run', log.slice(0, 3));
    recent.add('run', log.slice(6));
    expect(recent.read('run', 1, 10)).toBeUndefined();
    expect(recent.read('run', 6, 10)).toEqual(log.slice(6));
  });

  it('keeps a bounded number of events of a run, always the newest', () => {
    const recent = new EventCache();
    const log = toLog(5_000);
    for (let at = 0; at < log.length; at += 7) recent.add('run', log.slice(at, at + 7));
    expect(recent.read('run', 3_000, 10)).toBeUndefined();
    expect(recent.read('run', 4_990, 100)).toEqual(log.slice(4_990));
  });

  it('takes a commit of 200,000 events', () => {
    const recent = new EventCache();
    const log = toLog(200_000);
    recent.add('run', log.slice(0, 1));
    recent.add('run', log.slice(1));
    expect(recent.read('run', 199_998, 10)).toEqual(log.slice(-2));
  });

  it('keeps a bounded number of ended runs, and all runs that are not over', () => {
    const recent = new EventCache();
    recent.add('live', toLog(1));
    for (let run = 0; run < 100; run += 1) recent.add(`run-${run}`, recordedAll([END]));
    const kept = Array.from({ length: 100 }, (_, run) => recent.read(`run-${run}`, 0, 1) !== undefined);
    expect(kept.indexOf(true)).toBe(36);
    expect(kept.slice(36)).not.toContain(false);
    expect(recent.read('live', 0, 1)).toHaveLength(1);
  });

  it('keeps an ended run while the stored run agrees with it', () => {
    const recent = new EventCache();
    const log = recordedAll([delta(1), END], { epoch: 7 });
    recent.add('run', log);
    recent.check('run', { epoch: 7, lastSeq: 2 });
    expect(recent.read('run', 0, 10)).toEqual(log);
  });

  it.each([
    ['goes on under the same owner', { epoch: 7, lastSeq: 1 }],
    ['has another owner', { epoch: 8, lastSeq: 2 }],
    ['is unknown', undefined],
  ])('forgets an ended run that, in a restored database, %s', (_what, record) => {
    const recent = new EventCache();
    recent.add('run', recordedAll([delta(1), END], { epoch: 7 }));
    recent.check('run', record);
    expect(recent.read('run', 0, 10)).toBeUndefined();
  });

  it('keeps a live run even if its stored run was read before the last events', () => {
    const recent = new EventCache();
    const log = toLog(3);
    recent.add('run', log);
    recent.check('run', { epoch: 1, lastSeq: 2 });
    expect(recent.read('run', 0, 10)).toEqual(log);
  });

  it('drops earlier events when another owner continues, even if the seqs follow on', () => {
    const recent = new EventCache();
    recent.add('run', recordedAll([delta(1), END]));
    const goesOn = recordedAll([delta(1), END, delta(2)], { epoch: 2 }).slice(2);
    recent.add('run', goesOn);
    expect(recent.read('run', 1, 10)).toBeUndefined();
    expect(recent.read('run', 2, 10)).toEqual(goesOn);
    recent.check('run', { epoch: 2, lastSeq: 2 });
    expect(recent.read('run', 2, 10)).toEqual(goesOn);
  });
});
