import { describe, expect, it } from '@jest/globals';
import { expose } from './exposure.js';

const ORDER = { id: 7, total: 12, card: '4111' };

describe('expose', () => {
  it("shows nothing of a tool's data by default", () => {
    expect(expose(undefined, ORDER)).toBeUndefined();
    expect(expose(false, ORDER)).toBeUndefined();
    expect(expose([], ORDER)).toEqual({});
  });

  it("shows the whole value, the named fields or what the tool's function returns", () => {
    expect(expose(true, ORDER)).toBe(ORDER);
    expect(expose(['id', 'total', 'absent'], ORDER)).toEqual({ id: 7, total: 12 });
    expect(expose((order: typeof ORDER) => ({ last: order.card.slice(-2) }), ORDER)).toEqual({ last: '11' });
  });

  it('shows nothing of a value without the named fields', () => {
    expect(expose(['length'], 'secret')).toBeUndefined();
    expect(expose(['id'], null)).toBeUndefined();
  });

  it('does not show inherited fields by name', () => {
    expect(expose(['toString', '__proto__', 'constructor'], ORDER)).toEqual({});
  });

  it('shows nothing when the function that exposes data throws', () => {
    const broken = (): never => {
      throw new Error('4111');
    };
    expect(expose(broken, ORDER)).toBeUndefined();
  });
});
