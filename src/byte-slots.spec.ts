import { describe, expect, it } from '@jest/globals';
import { ByteSlots } from './byte-slots.js';

describe('ByteSlots', () => {
  it('hands out no more than there are, in the order of those that wait', async () => {
    const slots = new ByteSlots(100);
    const order: string[] = [];
    const enter = async (name: string, bytes: number) => {
      const release = await slots.enter(bytes);
      order.push(name);
      return release;
    };
    const first = await enter('first', 60);
    const second = enter('second', 500);
    const third = enter('third', 10);
    await Promise.resolve();
    expect(order).toEqual(['first']);
    first();
    first();
    (await second)();
    await third;
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it('lets go of one that is called off, and of nothing that others hold', async () => {
    const slots = new ByteSlots(100);
    const release = await slots.enter(100);
    const leaving = new AbortController();
    const left = slots.enter(100, leaving.signal);
    const next = slots.enter(50);
    leaving.abort(new Error('called off'));
    await expect(left).rejects.toThrow('called off');
    release();
    await next;
    await expect(slots.enter(1, leaving.signal)).rejects.toThrow('called off');
  });
});
