import { describe, expect, it } from '@jest/globals';
import { jsonOf, withPlainData } from './plain-data.js';
import type { RunEvent } from './run-event.js';

const CYCLE: { self?: unknown } = {};
CYCLE.self = CYCLE;

describe('plain data', () => {
  it('keeps what JSON can say', () => {
    const event: RunEvent = {
      type: 'tool-progress',
      toolCallId: 'c',
      fraction: 0.5,
      data: { rows: [1, null] },
    };
    expect(withPlainData(event)).toEqual(event);
  });

  it('is a copy, so that what a tool changes afterwards is not seen', () => {
    const data = { rows: [1] };
    const event = withPlainData({ type: 'tool-progress', toolCallId: 'c', data });
    data.rows.push(2);
    expect(event).toHaveProperty('data', { rows: [1] });
  });

  it('says things as the log will give them back: dates as text, no undefined, no functions', () => {
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

  it.each([
    ['a BigInt', 5n],
    ['a cycle', CYCLE],
    ['a symbol', Symbol('s')],
    [
      'something that cannot be read',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
  ])('leaves out %s and keeps the rest of the event', (_, value) => {
    const start = {
      type: 'tool-start',
      toolCallId: 'c',
      toolName: 't',
      stepId: 's',
      messageId: 'm',
    } as const;
    expect(withPlainData({ ...start, label: 'L', input: value })).toStrictEqual({ ...start, label: 'L' });
    const progress = { type: 'tool-progress', toolCallId: 'c', message: 'half', data: value } as const;
    expect(withPlainData(progress)).toStrictEqual({
      type: 'tool-progress',
      toolCallId: 'c',
      message: 'half',
    });
    expect(withPlainData({ type: 'custom', name: 'n', data: value })).toStrictEqual({
      type: 'custom',
      name: 'n',
      data: null,
    });
    const request = {
      type: 'approval-request',
      approvalId: 'a',
      toolCallId: 'c',
      toolName: 't',
      stepId: 's',
    } as const;
    expect(withPlainData({ ...request, label: 'L', input: value })).toStrictEqual({
      ...request,
      label: 'L',
      input: null,
    });
  });

  it('leaves out whatever field it is in: one event that JSON refuses would fail the commit of every run', () => {
    const event = { type: 'tool-progress', toolCallId: 'c', message: 5n, fraction: 1 } as unknown as RunEvent;
    expect(withPlainData(event)).toStrictEqual({ type: 'tool-progress', toolCallId: 'c', fraction: 1 });
  });

  it('has no JSON for what cannot be said', () => {
    expect([5n, CYCLE, undefined, () => 1].map((value) => jsonOf(value))).toEqual(Array(4).fill(undefined));
    expect(jsonOf({ a: 1 })).toBe('{"a":1}');
  });
});
