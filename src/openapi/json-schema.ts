import { z } from 'zod';
import { addDiscriminators } from './discriminators.js';

/** JSON Schema, as OpenAPI has it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** `input` is what a client sends, `output` what it gets. */
export type Direction = 'input' | 'output';

/** A schema that refers to others by name, and those others. */
export interface NamedSchema {
  readonly schema: JsonSchema;
  readonly components: Readonly<Record<string, JsonSchema>>;
}

/** Begins the names of our schemas, which share a document with a host's: it may have a `Session` or a `Run` of its own. */
const PREFIX = 'Chat';

/** Returns the schema with every named one in it as a component, in words that OpenAPI 3.0, 3.1 and 3.2 read alike. */
export function toNamedSchema(schema: z.ZodType, direction: Direction): NamedSchema {
  const { definitions = {}, ...root } = convert(schema, direction) as JsonSchema & {
    definitions?: Record<string, JsonSchema>;
  };
  const components = Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [prefixed(name), toPortable(definition)]),
  );
  const named = { schema: toPortable(root), components: { schemas: components } };
  const described = addDiscriminators(named);
  return { schema: described.schema, components: described.components.schemas };
}

/** Returns the schema whole, without a reference, in words that OpenAPI 3.0, 3.1 and 3.2 read alike. */
export function toInlineSchema(schema: z.ZodType, direction: Direction): JsonSchema {
  return toPortable(convert(schema, direction, WITHOUT_NAMES));
}

/** The known schemas without their names: zod writes a schema with a name as a reference. */
const WITHOUT_NAMES = {
  has: (schema: z.core.$ZodType) => z.globalRegistry.has(schema),
  get(schema: z.core.$ZodType) {
    const { id: _id, ...rest } = z.globalRegistry.get(schema) ?? {};
    return rest;
  },
};

function convert(schema: z.ZodType, io: Direction, metadata?: typeof WITHOUT_NAMES): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io,
    reused: 'inline',
    ...(metadata && { metadata: metadata as unknown as typeof z.globalRegistry }),
    override: ({ zodSchema, jsonSchema }) => {
      // An answer may have more fields one day; only a schema that refuses them says so.
      const { def } = zodSchema._zod;
      if (def.type === 'object' && !('catchall' in def && def.catchall))
        delete jsonSchema.additionalProperties;
    },
  });
}

/** Rewrites what only version 3.0 says in its own way. */
function toPortable(schema: JsonSchema): JsonSchema {
  return rewrite(schema) as JsonSchema;
}

function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, exclusiveMinimum, allOf, $ref, ...rest } = Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, rewrite(child)]),
  );
  const schema = {
    ...rest,
    ...(Array.isArray(allOf) &&
      (allOf.length === 1 && Object.keys(rest).length === 0 ? (allOf[0] as object) : { allOf })),
    ...(typeof $ref === 'string' && {
      $ref: `#/components/schemas/${prefixed($ref.slice($ref.lastIndexOf('/') + 1))}`,
    }),
    // A number in one version and a boolean in the other; ours are whole numbers.
    ...(exclusiveMinimum === true && { minimum: Number(rest['minimum']) + 1 }),
  };
  return nullable === true ? orNull(schema) : schema;
}

/** A keyword in 3.0, a type after it: a list of the one value that there is means the same in both. */
function orNull({ description, ...schema }: JsonSchema): JsonSchema {
  const nothing = { enum: [null] };
  const isNull = Array.isArray(schema['enum']) && schema['enum'].every((value) => value === null);
  return {
    ...(description !== undefined && { description }),
    ...(isNull ? nothing : { anyOf: [schema, nothing] }),
  };
}

function prefixed(name: string): string {
  return name.startsWith(PREFIX) ? name : PREFIX + name;
}
