import { describe, expect, it } from '@jest/globals';
import { assert, jsonValue, property } from 'fast-check';
import { jsonDepth } from './json-depth.js';

const depthOf = (json: string) => jsonDepth(Buffer.from(json));

describe('jsonDepth', () => {
  it.each([
    ['1', 0],
    ['{}', 1],
    ['[[],[[]]]', 3],
    ['{"a":{"b":[1]}}', 3],
    ['"[[["', 0],
    [String.raw`["\"[[["]`, 1],
    [String.raw`["\\",[]]`, 2],
    ['[[[', 3],
    [']]]', 0],
    ['"never closed [', 0],
  ])('of %s is %i', (json, depth) => expect(depthOf(json)).toBe(depth));

  it('counts as a walk over the parsed value does', () => {
    const walk = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map((child) => walk(child)))
        : 0;
    assert(property(jsonValue(), (value) => expect(depthOf(JSON.stringify(value))).toBe(walk(value))));
  });
});
