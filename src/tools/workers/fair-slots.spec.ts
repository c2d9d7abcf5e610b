import { describe, expect, it } from '@jest/globals';
import { FairSlots, type Release } from './fair-slots.js';

const { signal } = new AbortController();

/** Lets everything happen that can happen now. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Notes in which order keys get their slots. */
function entering(slots: FairSlots): {
  readonly order: string[];
  readonly held: Map<string, Release>;
  readonly enter: (key: string, name?: string) => Promise<void>;
} {
  const order: string[] = [];
  const held = new Map<string, Release>();
  return {
    order,
    held,
    enter: async (key, name = key) => {
      held.set(name, await slots.enter(key, signal));
      order.push(name);
    },
  };
}

describe('FairSlots', () => {
  it('hands out slots in turns between keys, whatever number one key asks for', async () => {
    const slots = new FairSlots({ size: 1 });
    const { order, held, enter } = entering(slots);
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => enter(name[0]!, name));
    for (const index of all.keys()) {
      await turn();
      held.get(order[index]!)!();
    }
    await Promise.all(all);
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    expect(slots.waiting).toBe(0);
  });

  it('never holds more slots than there are, in all and per key', async () => {
    const slots = new FairSlots({ size: 3, perKey: 2 });
    const { order, held, enter } = entering(slots);
    const all = Promise.all(['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => enter(name[0]!, name)));
    await turn();
    expect(order).toEqual(['a1', 'a2', 'b1']);
    held.get('b1')!();
    await turn();
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    held.get('a1')!();
    await all;
    expect(order.at(-1)).toBe('a3');
  });

  it('rejects a waiting entry when its signal is aborted, and forgets it', async () => {
    const slots = new FairSlots({ size: 1 });
    const release = await slots.enter('a', signal);
    const controller = new AbortController();
    const waiting = slots.enter('a', controller.signal);
    controller.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(slots.waiting).toBe(0);
    release();
    expect(slots.tryEnter('b')).toBeDefined();
  });

  it('gives a slot back once, even if its release is called again', async () => {
    const slots = new FairSlots({ size: 1 });
    const release = await slots.enter('a', signal);
    release();
    const second = await slots.enter('b', signal);
    release();
    expect(slots.tryEnter('c')).toBeUndefined();
    second();
  });

  it('refuses further entries when too many wait, for one key and in all', async () => {
    const slots = new FairSlots({ size: 1, maxWaiting: 3, maxWaitingPerKey: 2 });
    const { held, order, enter } = entering(slots);
    const waiting = ['x', 'a', 'a', 'b'].map((key, at) => enter(key, `${key}${at}`));
    await expect(slots.enter('a', signal)).rejects.toMatchObject({ code: 'TOOL_FAILED', retryable: true });
    await expect(slots.enter('c', signal)).rejects.toMatchObject({ code: 'TOOL_FAILED', retryable: true });
    for (const index of waiting.keys()) {
      await turn();
      held.get(order[index]!)!();
    }
    await Promise.all(waiting);
  });
});
