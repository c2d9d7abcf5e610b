import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InProcessRunStartCounter } from './in-process.run-start.counter.js';

const MINUTE = 60_000;

describe('the run starts of a principal', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are allowed up to the limit, and again as soon as the oldest is a minute old', async () => {
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

  it('cost another principal nothing', async () => {
    const counter = new InProcessRunStartCounter();
    await counter.increment('alice', MINUTE, 1);
    expect(await counter.increment('alice', MINUTE, 1)).toMatchObject({ isBlocked: true });
    expect(await counter.increment('bob', MINUTE, 1)).toMatchObject({ isBlocked: false });
  });

  it('are counted rightly over many minutes of many starts', async () => {
    const counter = new InProcessRunStartCounter();
    for (let second = 0; second < 300; second += 1) {
      const { totalHits } = await counter.increment('alice', MINUTE, 100_000);
      expect(totalHits).toBe(Math.min(second + 1, 60));
      jest.advanceTimersByTime(1_000);
    }
  });

  it('are forgotten with the principal that starts nothing any more', async () => {
    const counter = new InProcessRunStartCounter();
    for (let index = 0; index < 50; index += 1) await counter.increment(`user-${index}`, MINUTE, 10);
    jest.advanceTimersByTime(MINUTE);
    await counter.increment('alice', MINUTE, 10);
    expect(counter.principals).toBe(1);
  });
});
