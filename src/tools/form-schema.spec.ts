import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { findFormSchema } from './form-schema.js';

const find = (input: z.ZodObject, inputSchema?: Readonly<Record<string, unknown>>) =>
  findFormSchema({ input, ...(inputSchema && { inputSchema }) });

describe('the schema of a form', () => {
  it('has the titles and limits of the arguments, and nothing that is written for the model', () => {
    const input = z.object({
      description: z.string().max(5).meta({ title: 'Text' }).describe('Be brief.'),
      lines: z.array(z.object({ id: z.int().describe('Never 0.') })).describe('All.'),
      either: z.union([z.string().describe('One.'), z.number()]).optional(),
    });
    const schema = find(input);
    expect(schema).toMatchObject({
      type: 'object',
      required: ['description', 'lines'],
      properties: {
        description: { type: 'string', maxLength: 5, title: 'Text' },
        lines: { type: 'array', items: { properties: { id: { type: 'integer' } } } },
        either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      },
    });
    expect(JSON.stringify(schema)).not.toMatch(/brief|Never|All\.|One\./);
    expect(find(input)).toBe(schema);
  });

  it('is that of a tool from outside where it has one', () => {
    const given = { type: 'object', properties: { day: { enum: ['Mon', 'Tue'], description: 'A day.' } } };
    expect(find(z.looseObject({}), given)).toEqual({
      type: 'object',
      properties: { day: { enum: ['Mon', 'Tue'] } },
    });
  });

  it('is none if it is large, deep, or cannot be written', () => {
    const names = Array.from({ length: 500 }, (_, index) => [`a_long_name_${index}`, z.string()]);
    expect(find(z.object(Object.fromEntries(names)))).toBeUndefined();
    let deep: unknown = {};
    for (let level = 0; level < 100_000; level += 1) deep = { items: deep };
    expect(find(z.looseObject({}), { properties: { deep } })).toBeUndefined();
    const circular: Record<string, unknown> = {};
    circular['items'] = circular;
    expect(find(z.looseObject({}), circular)).toBeUndefined();
  });
});
