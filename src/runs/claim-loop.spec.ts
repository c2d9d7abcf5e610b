import { describe, expect, it } from '@jest/globals';
import { ClaimLoop } from './claim-loop.js';

/** A worker whose claims the test answers. */
class TestClaimer {
  freeSlots = 10;
  readonly failures: unknown[] = [];
  readonly reasons: string[] = [];
  private sent: PromiseWithResolvers<boolean> | undefined;

  readonly loop = new ClaimLoop({
    countFreeSlots: () => this.freeSlots,
    claimNext: (resumed) => {
      if (this.sent) throw new Error('Two claims are under way.');
      this.reasons.push(resumed);
      this.sent = Promise.withResolvers();
      return this.sent.promise;
    },
    onFailure: (error) => this.failures.push(error),
  });

  get claims(): number {
    return this.reasons.length;
  }

  /** Answers the claim that is under way, and lets the loop go on. */
  async answer(found: boolean | Error): Promise<void> {
    const { sent } = this;
    if (!sent) throw new Error('No claim is under way.');
    this.sent = undefined;
    if (found instanceof Error) sent.reject(found);
    else sent.resolve(found);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('ClaimLoop', () => {
  it('claims until a claim finds nothing, and passes the reason of the round to each claim', async () => {
    const claimer = new TestClaimer();
    const round = claimer.loop.ask('restart');
    await claimer.answer(true);
    await claimer.answer(true);
    expect(claimer.loop.isActive).toBe(true);
    await claimer.answer(false);
    await round;
    expect(claimer.loop.isActive).toBe(false);
    expect(claimer.reasons).toEqual(['restart', 'restart', 'restart']);
  });

  it('claims once more when it was asked during a claim that finds nothing', async () => {
    const claimer = new TestClaimer();
    const round = claimer.loop.ask('takeover');
    void claimer.loop.ask('takeover');
    void claimer.loop.ask('takeover');
    expect(claimer.claims).toBe(1);
    await claimer.answer(false);
    expect(claimer.claims).toBe(2);
    await claimer.answer(false);
    await round;
    expect(claimer.claims).toBe(2);
  });

  it('starts a new round of claims when it is asked after the last one', async () => {
    const claimer = new TestClaimer();
    void claimer.loop.ask('restart');
    await claimer.answer(false);
    void claimer.loop.ask('takeover');
    await claimer.answer(false);
    expect(claimer.reasons).toEqual(['restart', 'takeover']);
  });

  it('expects a backlog after it was asked without a free slot, until a claim finds nothing', async () => {
    const claimer = new TestClaimer();
    claimer.freeSlots = 0;
    await claimer.loop.ask('takeover');
    expect(claimer.claims).toBe(0);
    expect(claimer.loop.mayHaveBacklog).toBe(true);
    claimer.freeSlots = 2;
    const round = claimer.loop.ask('takeover');
    await claimer.answer(true);
    expect(claimer.loop.mayHaveBacklog).toBe(true);
    await claimer.answer(false);
    await round;
    expect(claimer.loop.mayHaveBacklog).toBe(false);
  });

  it('stops claiming at the last free slot and expects a backlog then', async () => {
    const claimer = new TestClaimer();
    const round = claimer.loop.ask('takeover');
    claimer.freeSlots = 0;
    await claimer.answer(true);
    await round;
    expect(claimer.claims).toBe(1);
    expect(claimer.loop.mayHaveBacklog).toBe(true);
  });

  it('ends a round when a claim fails, and claims again only if it was asked meanwhile', async () => {
    const claimer = new TestClaimer();
    const round = claimer.loop.ask('restart');
    void claimer.loop.ask('takeover');
    await claimer.answer(new Error('The storage is away.'));
    expect(claimer.reasons).toEqual(['restart', 'takeover']);
    await claimer.answer(new Error('The storage is away.'));
    await round;
    expect(claimer.claims).toBe(2);
    expect(claimer.failures).toHaveLength(2);
    expect(claimer.loop.isActive).toBe(false);
  });
});
