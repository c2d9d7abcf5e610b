import { describe, expect, it } from '@jest/globals';
import { assert, jsonValue, property } from 'fast-check';
import { jsonShape } from './json-shape.js';

const measureShape = (json: string) => jsonShape(Buffer.from(json));

describe('jsonShape', () => {
  it.each([
    ['1', 0, 0],
    ['{}', 1, 1],
    ['[[],[[]]]', 3, 5],
    ['{"a":{"b":[1]}}', 3, 3],
    ['[1,2,3]', 1, 3],
    ['"[[[,,,"', 0, 0],
    [String.raw`["\"[[[,"]`, 1, 1],
    [String.raw`["\\",[]]`, 2, 3],
    ['[[[', 3, 3],
    [']]]', 0, 0],
    ['"never closed [', 0, 0],
  ])('measures the JSON %s as %i deep with %i values', (json, depth, values) =>
    expect(measureShape(json)).toEqual({ depth, values }),
  );

  it('finds the same depth of JSON as a walk over the parsed value', () => {
    const walk = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map((child) => walk(child)))
        : 0;
    assert(
      property(jsonValue(), (value) => expect(measureShape(JSON.stringify(value)).depth).toBe(walk(value))),
    );
  });

  it('counts no fewer values in JSON than its parsed value has', () => {
    const count = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Math.max(1, Object.keys(value).length) +
          Object.values(value).reduce((sum: number, child) => sum + count(child), 0)
        : 0;
    assert(
      property(jsonValue(), (value) =>
        expect(measureShape(JSON.stringify(value)).values).toBeGreaterThanOrEqual(count(value)),
      ),
    );
  });
});
