import { describe, expect, it } from '@jest/globals';
import { ReadSlots, type ReadSlot } from './read-slots.js';

const ADA = { tenant: 'acme', userId: 'ada' };
const BOB = { tenant: 'acme', userId: 'bob' };
const EVE = { tenant: 'other', userId: 'ada' };

/** Asks for so many, and notes who gets a turn. */
function ask(slots: ReadSlots, name: string, owner: typeof ADA, count: number, turns: [string, ReadSlot][]) {
  for (let index = 0; index < count; index += 1)
    void slots.acquire(owner).then((slot) => turns.push([name, slot]));
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ReadSlots', () => {
  it('limits the reads at work per principal and per process', async () => {
    const slots = new ReadSlots({ perPrincipal: 2, perProcess: 3, waiting: 10 });
    const turns: [string, ReadSlot][] = [];
    ask(slots, 'ada', ADA, 5, turns);
    ask(slots, 'bob', BOB, 5, turns);
    await settled();
    expect(turns.map(([name]) => name)).toEqual(['ada', 'ada', 'bob']);
    // An answer that is made leaves its place in the process, and not yet its principal's.
    turns[0]?.[1].replyStarted();
    await settled();
    expect(turns.map(([name]) => name)).toEqual(['ada', 'ada', 'bob', 'bob']);
  });

  it('takes turns between principals, so that many reads of one do not hold up the others', async () => {
    const slots = new ReadSlots({ perPrincipal: 1, perProcess: 1, waiting: 20 });
    const turns: [string, ReadSlot][] = [];
    ask(slots, 'ada', ADA, 20, turns);
    ask(slots, 'bob', BOB, 2, turns);
    ask(slots, 'eve', EVE, 2, turns);
    for (let released = 0; released < 24; released += 1) {
      while (turns.length <= released) await settled();
      turns[released]?.[1].release();
    }
    const names = turns.map(([name]) => name);
    expect(names.lastIndexOf('bob')).toBeLessThan(8);
    expect(names.lastIndexOf('eve')).toBeLessThan(8);
    while (slots.principals > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('refuses reads of a principal that has too many waiting, and of no other', async () => {
    const slots = new ReadSlots({ perPrincipal: 1, perProcess: 2, waiting: 3 });
    const turns: [string, ReadSlot][] = [];
    ask(slots, 'ada', ADA, 4, turns);
    await expect(slots.acquire(ADA)).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      options: { details: { retryAfterSeconds: 1 } },
    });
    await expect(slots.acquire(BOB)).resolves.toBeDefined();
  });

  it('removes a waiting read when its client leaves', async () => {
    const slots = new ReadSlots({ perPrincipal: 1, perProcess: 1, waiting: 3 });
    const first = await slots.acquire(ADA);
    const left = new AbortController();
    const waiting = slots.acquire(BOB, { closed: left.signal });
    const reason = new Error('left');
    left.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(slots.acquire(EVE, { closed: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(slots.principals).toBe(1);
    first.release();
    first.release();
    first.replyStarted();
    while (slots.principals > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await slots.acquire(BOB);
  });
});
