import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InProcessRunStartCounter } from './in-process-run-start.counter.js';

const MINUTE = 60_000;

describe('InProcessRunStartCounter', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('allows run starts up to the limit, and again when the oldest is a minute old', async () => {
    const counter = new InProcessRunStartCounter();
    const start = () => counter.increment('alice', MINUTE, 2);
    expect(await start()).toMatchObject({ totalHits: 1, isBlocked: false, timeToExpire: 60 });
    jest.advanceTimersByTime(20_000);
    expect(await start()).toMatchObject({ totalHits: 2, isBlocked: false, timeToExpire: 40 });
    expect(await start()).toMatchObject({ totalHits: 3, isBlocked: true, timeToBlockExpire: 40 });
    jest.advanceTimersByTime(39_999);
    expect(await start()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 });
    jest.advanceTimersByTime(1);
    expect(await start()).toMatchObject({ totalHits: 2, isBlocked: false, timeToBlockExpire: 0 });
    expect(await start()).toMatchObject({ isBlocked: true, timeToBlockExpire: 20 });
  });

  it.each([3_600_000, -3_600_000])(
    'counts a start for a minute even when the clock jumps by %d ms',
    async (step) => {
      const counter = new InProcessRunStartCounter();
      const start = () => counter.increment('alice', MINUTE, 1);
      expect(await start()).toMatchObject({ isBlocked: false });
      jest.setSystemTime(1_000_000 + step);
      expect(await start()).toMatchObject({ isBlocked: true, timeToBlockExpire: 60 });
      jest.advanceTimersByTime(MINUTE);
      expect(await start()).toMatchObject({ isBlocked: false });
    },
  );

  it('reports no wait longer than a minute, at any fraction of a millisecond', async () => {
    const counter = new InProcessRunStartCounter();
    for (let index = 0; index < 200; index += 1) {
      jest.spyOn(performance, 'now').mockReturnValue(index * 97.31);
      await counter.increment(`user${index}`, MINUTE, 1);
      expect(await counter.increment(`user${index}`, MINUTE, 1)).toMatchObject({ timeToBlockExpire: 60 });
    }
    jest.restoreAllMocks();
  });

  it('gives back one run start at a time', async () => {
    const counter = new InProcessRunStartCounter();
    const start = () => counter.increment('alice', MINUTE, 2);
    for (const isBlocked of [false, false, true]) expect(await start()).toMatchObject({ isBlocked });
    await counter.giveBack('alice');
    for (const isBlocked of [false, true]) expect(await start()).toMatchObject({ isBlocked });
    for (let index = 0; index < 4; index += 1) await counter.giveBack('alice');
    for (const isBlocked of [false, false, true]) expect(await start()).toMatchObject({ isBlocked });
  });

  it('counts the starts of principals apart', async () => {
    const counter = new InProcessRunStartCounter();
    await counter.increment('alice', MINUTE, 1);
    expect(await counter.increment('alice', MINUTE, 1)).toMatchObject({ isBlocked: true });
    expect(await counter.increment('bob', MINUTE, 1)).toMatchObject({ isBlocked: false });
  });

  it('counts many run starts over many minutes correctly', async () => {
    const counter = new InProcessRunStartCounter();
    for (let second = 0; second < 300; second += 1) {
      const { totalHits } = await counter.increment('alice', MINUTE, 100_000);
      expect(totalHits).toBe(Math.min(second + 1, 60));
      jest.advanceTimersByTime(1_000);
    }
  });

  it('forgets principals whose starts are older than a minute', async () => {
    const counter = new InProcessRunStartCounter();
    for (let index = 0; index < 50; index += 1) await counter.increment(`user-${index}`, MINUTE, 10);
    jest.advanceTimersByTime(MINUTE);
    await counter.increment('alice', MINUTE, 10);
    expect(counter.principals).toBe(1);
  });
});
