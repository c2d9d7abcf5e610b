import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { toSendableSchema } from './sendable-schema.js';

type Schema = Record<string, unknown>;
const OBJECT = { type: 'object', properties: {} };
const text = { type: 'string' };

describe('toSendableSchema', () => {
  it.each<[string, Schema]>([
    [
      'of plain fields',
      { type: 'object', properties: { a: text, b: { type: 'integer', minimum: 1 } }, required: ['a'] },
    ],
    ['that is open', { ...OBJECT, additionalProperties: true }],
    ['with definitions', { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: text } }],
    [
      'with choices inside',
      {
        type: 'object',
        properties: {
          a: { anyOf: [text, { type: 'null' }], format: 'uri' },
          b: { type: ['string', 'null'] },
        },
      },
    ],
  ])('returns a schema %s unchanged', (_name, schema) => {
    expect(toSendableSchema(schema)).toBe(schema);
  });

  it.each<[string, Schema, Schema]>([
    ['that says nothing', {}, OBJECT],
    ['without fields', { type: 'object' }, OBJECT],
    ['that is nothing but itself', { $ref: '#' }, OBJECT],
    [
      'that may be null',
      { type: ['object', 'null'], properties: { a: text } },
      { type: 'object', properties: { a: text } },
    ],
    [
      'whose fields have references to each other',
      { type: 'object', properties: { a: { $ref: '#/properties/b' }, b: text } },
      { type: 'object', properties: { a: text, b: text } },
    ],
    [
      'with references to nowhere',
      {
        type: 'object',
        properties: { a: { $ref: 'https://example.com/x', title: 'A' }, b: { $ref: '#/$defs/none' } },
      },
      { type: 'object', properties: { a: { title: 'A' }, b: {} } },
    ],
    [
      'that is a reference',
      { $ref: '#/definitions/a', definitions: { a: { type: 'object', properties: { a: text } } } },
      {
        type: 'object',
        properties: { a: text },
        definitions: { a: { type: 'object', properties: { a: text } } },
      },
    ],
    [
      'with unknown formats, types, patterns and empty lists',
      {
        type: 'object',
        properties: {
          a: { type: 'integer', format: 'uint32' },
          b: { type: 'strange' },
          c: { type: 'string', pattern: '(?i)x' },
          d: { enum: [], type: 'string' },
          e: { type: 'array' },
          f: true,
        },
      },
      {
        type: 'object',
        properties: {
          a: { type: 'integer' },
          b: {},
          c: text,
          d: text,
          e: { type: 'array', items: {} },
          f: {},
        },
      },
    ],
    [
      'with identifiers of its own',
      { $schema: 'x', $id: 'y', id: 'z', type: 'object', properties: { id: text } },
      { type: 'object', properties: { id: text } },
    ],
  ])('makes a schema %s acceptable', (_name, schema, sent) => {
    expect(toSendableSchema(schema)).toEqual(sent);
  });

  it.each(['anyOf', 'oneOf', 'allOf'])(
    'merges the fields of a top-level %s and describes the rest in words',
    (keyword) => {
      const branches = [
        { properties: { a: text }, required: ['a'] },
        { properties: { b: text }, required: ['b'] },
      ];
      const sent = toSendableSchema({
        type: 'object',
        [keyword]: branches,
        required: ['c'],
        properties: { c: text },
      });
      expect(sent).not.toHaveProperty(keyword);
      expect(sent).toMatchObject({ type: 'object', properties: { a: text, b: text, c: text } });
      expect(sent['required']).toEqual(keyword === 'allOf' ? ['c', 'a', 'b'] : ['c']);
      expect(sent['description']).toContain(JSON.stringify(branches));
    },
  );

  it.each<[string, Schema]>([
    ['a name that providers refuse', { type: 'object', properties: { 'a b$': text } }],
    ['no end', { type: 'object', properties: nested(60) }],
  ])('refuses a schema with %s', (_name, schema) => {
    expect(() => toSendableSchema(schema)).toThrow();
  });

  it('makes any schema acceptable and does not change it a second time', () => {
    const keyword = fc.constantFrom(
      ...'type anyOf oneOf allOf items enum required format pattern $ref not if'.split(' '),
      ...'additionalProperties properties $defs description const dependentRequired a b'.split(' '),
    );
    const { schema } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(
          'object',
          'string',
          '#/$defs/a',
          '#/properties/a',
          '(?i)',
          true,
          false,
          null,
          7,
          [],
        ),
        fc.array(tie('schema'), { maxLength: 2 }),
        tie('schema'),
      ),
      schema: fc.dictionary(keyword, tie('value'), { maxKeys: 5 }),
    }));
    fc.assert(
      fc.property(schema, (written) => {
        const sent = send(written);
        if (!sent) return;
        expect(sent['type']).toBe('object');
        expect(typeof sent['properties']).toBe('object');
        for (const refused of ['anyOf', 'oneOf', 'allOf', 'not', 'if', 'enum', 'const', '$ref']) {
          expect(sent).not.toHaveProperty(refused);
        }
        expect(toSendableSchema(sent)).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a schema whose references stand for more parts than any tool has', () => {
    const fields = (count: number, field: (index: number) => object) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, field(index)]));
    const big = { type: 'object', properties: fields(100, () => ({ type: 'string' })) };
    const many = (references: number) => ({
      type: 'object',
      properties: { big, ...fields(references, () => ({ $ref: '#/properties/big' })) },
    });
    expect(() => toSendableSchema(many(10))).not.toThrow();
    expect(() => toSendableSchema(many(3_000))).toThrow('more than 5000 parts');
  });
});

/** Undefined for one that cannot be sent. */
function send(schema: Schema): Schema | undefined {
  try {
    return toSendableSchema(schema);
  } catch (error) {
    expect((error as Error).message).toMatch(/^Providers take no field named "\$/);
    return undefined;
  }
}

function nested(depth: number): Schema {
  return { a: depth === 0 ? text : { type: 'object', properties: nested(depth - 1) } };
}
