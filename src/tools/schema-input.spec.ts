import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { JsonSchema } from './compute/fit-schema.js';
import { createSchemaInput } from './schema-input.js';

const SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  id: 'https://example.com/schema',
  type: 'object',
  properties: {
    name: { type: 'string', pattern: '^(a+)+$' },
    pattern: { $ref: '#/definitions/count' },
    choice: { enum: ['x', 'y'], default: 'x' },
  },
  required: ['name'],
  additionalProperties: false,
  definitions: { count: { type: 'integer', minimum: 1 } },
} satisfies JsonSchema;

const input = createSchemaInput(SCHEMA, 'spec');

async function misfit(value: unknown, schema = input): Promise<string> {
  const { error } = await schema.safeParseAsync(value);
  return error ? z.prettifyError(error) : '';
}

describe('mcpInput', () => {
  it('describes the input of a tool to the model as its MCP server does', () => {
    const { $schema: _, id: __, ...described } = SCHEMA;
    expect(z.toJSONSchema(input)).toMatchObject(described);
    // Two tools with the same id would not do.
    expect(() => z.toJSONSchema(createSchemaInput(SCHEMA, 'another'))).not.toThrow();
  });

  it('passes valid tool input through unchanged', async () => {
    const fits = { name: 'aaa', pattern: 3 };
    expect(await input.parseAsync(fits)).toEqual(fits);
  });

  it.each<[unknown, RegExp]>([
    [{}, /at name/],
    [{ name: 'b' }, /at name/],
    [{ name: 'a', pattern: 0 }, /at pattern/],
    [{ name: 'a', choice: 'z' }, /at choice/],
    [{ name: 'a', more: 1 }, /more/],
    ['no object', /object/],
  ])('says what is wrong with the tool input %p', async (value, words) => {
    expect(await misfit(value)).toMatch(words);
  });

  it('stops an endless pattern without blocking the event loop', async () => {
    const answer = misfit({ name: `${'a'.repeat(40)}!` });
    const turns = Promise.all([1, 2, 3].map(() => new Promise((resolve) => setImmediate(resolve))));
    expect(await Promise.race([turns.then(() => 'turns'), answer])).toBe('turns');
    expect(await answer).toMatch('could not be checked');
    expect(await misfit({ name: 'a' })).toBe('');
  });

  it('refuses an input schema larger than 256 KiB', () => {
    const description = 'x'.repeat(300 * 1024);
    expect(() => createSchemaInput({ type: 'object', description }, 'spec')).toThrow('256 KiB');
  });

  it('measures a schema, and reads nothing else of it on the event loop', () => {
    const reads: string[] = [];
    const field = {
      toJSON: () => ({ type: 'string' }),
      get type() {
        reads.push('type');
        return 'string';
      },
    };
    createSchemaInput({ type: 'object', properties: { field } } as JsonSchema, 'spec');
    expect(reads).toEqual([]);
  });

  it('leaves what zod cannot check to the tool', async () => {
    const odd = {
      type: 'object',
      properties: { a: { type: 'object', unevaluatedProperties: false } },
    } as const;
    expect(await misfit({ a: { b: 1 } }, createSchemaInput(odd, 'spec'))).toBe('');
  });
});
