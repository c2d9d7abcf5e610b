import { z } from 'zod';
import type { Tool } from './agent-tool.js';

/** Bytes of JSON. It is in the log with each request. */
const LARGEST_SCHEMA = 8 * 1024;
/** Levels of a schema that is shown. */
const MOST_LEVELS = 32;

/** Keywords whose values are schemas by name, schemas, and lists of schemas. */
const BY_NAME = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const NESTED = new Set([
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
]);
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
/** Keywords that are written for models or for people who read schemas, not for people who fill in a form. */
const HIDDEN = new Set(['description', 'examples', '$comment', '$schema', '$id', 'id']);

type JsonSchema = Readonly<Record<string, unknown>>;

const known = new WeakMap<object, JsonSchema | null>();

/** Returns the schema of a tool's arguments for a form, without what its author tells the model. Undefined if it is too large. */
export function findFormSchema({
  input,
  inputSchema,
}: Pick<Tool, 'input' | 'inputSchema'>): JsonSchema | undefined {
  let schema = known.get(input);
  if (schema === undefined) {
    schema = createFormSchema(input, inputSchema) ?? null;
    known.set(input, schema);
  }
  return schema ?? undefined;
}

function createFormSchema(input: z.ZodObject, given: Tool['inputSchema']): JsonSchema | undefined {
  try {
    const whole = given ?? z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
    const shown = toShown(whole, MOST_LEVELS) as JsonSchema;
    return JSON.stringify(shown).length <= LARGEST_SCHEMA ? shown : undefined;
  } catch {
    return undefined;
  }
}

/** @throws RangeError if it has more levels */
function toShown(schema: unknown, levels: number): unknown {
  if (levels === 0) throw new RangeError('The schema has too many levels.');
  if (typeof schema !== 'object' || schema === null) return schema;
  const each = (value: unknown) => toShown(value, levels - 1);
  const keywords = Object.entries(schema).filter(([keyword]) => !HIDDEN.has(keyword));
  return Object.fromEntries(
    keywords.map(([keyword, value]) => {
      if (BY_NAME.has(keyword) && typeof value === 'object' && value !== null)
        return [keyword, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, each(one)]))];
      if (NESTED.has(keyword)) return [keyword, Array.isArray(value) ? value.map(each) : each(value)];
      if (LISTS.has(keyword) && Array.isArray(value)) return [keyword, value.map(each)];
      return [keyword, value];
    }),
  );
}
