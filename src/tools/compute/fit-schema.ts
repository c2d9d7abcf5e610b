// Also runs in a thread, from the sources: erasable TypeScript only.
import { z } from 'zod';

export type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

export interface SchemaMismatch {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** More than these tell a model nothing more. */
const MAX_MISFITS = 20;

/** Returns what of a value does not fit a JSON Schema. It may take for ever: a schema's patterns are programs of its author. */
export function fitSchema({
  schema,
  value,
  whenUnknown = 'fails',
}: {
  readonly schema: JsonSchema;
  readonly value: unknown;
  /** What a schema does that zod cannot say: it throws, or anything fits. Default `fails`. */
  readonly whenUnknown?: 'fits' | 'fails';
}): readonly SchemaMismatch[] {
  const compiled = compile(schema, whenUnknown);
  const { error } = compiled.safeParse(value);
  return (error?.issues ?? []).slice(0, MAX_MISFITS).map(toMismatch);
}

/** Returns an issue as something that can be sent. */
export function toMismatch({ message, path }: z.core.$ZodIssue): SchemaMismatch {
  return { message, path: path.map((key) => (typeof key === 'number' ? key : String(key))) };
}

function compile(schema: JsonSchema, whenUnknown: 'fits' | 'fails'): z.ZodType {
  try {
    return z.fromJSONSchema(schema);
  } catch (error) {
    if (whenUnknown === 'fits') return z.unknown();
    throw error;
  }
}
