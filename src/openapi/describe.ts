import * as nest from '@nestjs/common';
import type { ApiBodyOptions, ApiQueryOptions, ApiResponseOptions } from '@nestjs/swagger';
import type { z } from 'zod';
import { toInlineSchema, toNamedSchema, type Direction } from './json-schema.js';

/** The one place where Nest 11 and Nest 12 differ for us: only the Swagger module of 12 takes named schemas. */
const takesNamedSchemas = 'StandardSchemaValidationPipe' in nest;

type Description = Pick<Extract<ApiResponseOptions, { schema: unknown }>, 'schema'>;

/** Describes what an answer has in it, for `ApiResponse`. */
export function describeAnswer(schema: z.ZodType): Description {
  return describe(schema, 'output');
}

/** Describes the body that a route takes, for `ApiBody`. */
export function describeBody(schema: z.ZodType): ApiBodyOptions {
  return describe(schema, 'input');
}

/** Describes the parameters of a query, for `ApiQuery`, one by one. */
export function describeQuery(query: z.ZodObject): ApiQueryOptions[] {
  const { properties, required } = toInlineSchema(query, 'input') as unknown as {
    properties: Record<string, { description?: string }>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    required: required?.includes(name) ?? false,
    ...(description && { description }),
    schema,
  }));
}

function describe(schema: z.ZodType, direction: Direction): Description {
  const description = takesNamedSchemas
    ? { standardSchema: withNames(schema) }
    : { schema: toInlineSchema(schema, direction) };
  return description as Description;
}

/** The schema as it is, but for what it says when it is asked for its JSON Schema. */
function withNames(schema: z.ZodType): z.ZodType {
  const inDirection = (direction: Direction) => () => {
    const { schema: root, components } = toNamedSchema(schema, direction);
    return { ...root, definitions: components };
  };
  const jsonSchema = { input: inDirection('input'), output: inDirection('output') };
  return Object.create(schema, {
    '~standard': { value: { ...schema['~standard'], jsonSchema } },
  }) as z.ZodType;
}
