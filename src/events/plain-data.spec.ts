import { describe, expect, it } from '@jest/globals';
import { toJson, withPlainData } from './plain-data.js';
import type { RunEvent } from './run-event.js';

const CYCLE: { self?: unknown } = {};
CYCLE.self = CYCLE;
const SHARED = { a: 1 };
const UNREADABLE = {
  toJSON: () => {
    throw new Error('no');
  },
};

describe('withPlainData', () => {
  it('keeps the data of an event that JSON can represent', () => {
    const event: RunEvent = {
      type: 'tool-progress',
      toolCallId: 'c',
      fraction: 0.5,
      data: { rows: [1, null] },
    };
    expect(withPlainData(event)).toEqual(event);
  });

  it('copies the data of an event, so that later changes by a tool have no effect', () => {
    const data = { rows: [1] };
    const event = withPlainData({ type: 'tool-progress', toolCallId: 'c', data });
    data.rows.push(2);
    expect(event).toHaveProperty('data', { rows: [1] });
  });

  it('converts the data of an event as JSON does, with dates as text and without functions', () => {
    const output = { at: new Date(0), gone: undefined, call: () => 1, list: [undefined] };
    const event = withPlainData({ type: 'tool-end', toolCallId: 'c', outcome: 'ok', output, durationMs: 1 });
    expect(event).toEqual({
      type: 'tool-end',
      toolCallId: 'c',
      outcome: 'ok',
      output: { at: '1970-01-01T00:00:00.000Z', list: [null] },
      durationMs: 1,
    });
  });

  it.each<[string, unknown, unknown]>([
    ['a BigInt', 5n, '5'],
    ['a BigInt inside', { big: [5n] }, { big: ['5'] }],
    ['a cycle', CYCLE, { self: '[circular]' }],
    ['the same object twice, without a cycle', [SHARED, { SHARED }], [{ a: 1 }, { SHARED: { a: 1 } }]],
    ['a Map', { map: new Map([['a', new Set([1n])]]) }, { map: { a: ['1'] } }],
    ['a Map by objects', new Map([[1, 'a']]), [[1, 'a']]],
    ['an Error', { error: new TypeError('no') }, { error: { name: 'TypeError', message: 'no' } }],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['something that cannot be read', UNREADABLE, '[unreadable: no]'],
  ])('writes readable text in an event for %s', (_, value, said) => {
    const start = {
      type: 'tool-start',
      toolCallId: 'c',
      toolName: 't',
      stepId: 's',
      messageId: 'm',
    } as const;
    expect(withPlainData({ ...start, label: 'L', input: value })).toStrictEqual({
      ...start,
      label: 'L',
      input: said,
    });
    const progress = { type: 'tool-progress', toolCallId: 'c', message: 'half', data: value } as const;
    expect(withPlainData(progress)).toStrictEqual({ ...progress, data: said });
    expect(withPlainData({ type: 'custom', name: 'n', data: value })).toStrictEqual({
      type: 'custom',
      name: 'n',
      data: said,
    });
  });

  it('converts every field of an event, so that it cannot fail the commit of other runs', () => {
    const event = { type: 'tool-progress', toolCallId: 'c', message: 5n, fraction: 1 } as unknown as RunEvent;
    expect(withPlainData(event)).toStrictEqual({
      type: 'tool-progress',
      toolCallId: 'c',
      message: '5',
      fraction: 1,
    });
    expect(withPlainData({ type: 'custom', name: 'n', data: undefined })).toHaveProperty('data', null);
  });

  it('returns no JSON from toJson for values that JSON cannot represent', () => {
    expect([5n, CYCLE, undefined, () => 1].map((value) => toJson(value))).toEqual(Array(4).fill(undefined));
    expect(toJson({ a: 1 })).toBe('{"a":1}');
  });
});
