import { describe, expect, it } from '@jest/globals';
import { expose } from './exposure.js';

const ORDER = { id: 7, total: 12, card: '4111' };

describe('expose', () => {
  it('shows nothing unless told to', () => {
    expect(expose(undefined, ORDER)).toBeUndefined();
    expect(expose(false, ORDER)).toBeUndefined();
    expect(expose([], ORDER)).toEqual({});
  });

  it('shows all, the named fields, or what a function returns', () => {
    expect(expose(true, ORDER)).toBe(ORDER);
    expect(expose(['id', 'total', 'absent'], ORDER)).toEqual({ id: 7, total: 12 });
    expect(expose((order: typeof ORDER) => ({ last: order.card.slice(-2) }), ORDER)).toEqual({ last: '11' });
  });

  it('shows nothing of a value that has no named fields', () => {
    expect(expose(['length'], 'secret')).toBeUndefined();
    expect(expose(['id'], null)).toBeUndefined();
  });

  it('does not reach inherited fields by name', () => {
    expect(expose(['toString', '__proto__', 'constructor'], ORDER)).toEqual({});
  });

  it('shows nothing when the function throws', () => {
    const broken = (): never => {
      throw new Error('4111');
    };
    expect(expose(broken, ORDER)).toBeUndefined();
  });
});
