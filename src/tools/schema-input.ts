import { z } from 'zod';
import { compute } from './compute/compute.js';
import type { JsonSchema, SchemaMismatch } from './compute/fit-schema.js';
import { toolCaller } from './tool-caller.js';
import type { PoolCaller } from './workers/worker-pool.js';

/** A schema that takes longer for arguments of a usual size is one that was made to. */
const FIT_LIMIT_MS = 500;
/** Bytes of JSON. It is part of every prompt. */
const LARGEST_SCHEMA = 256 * 1024;

/**
 * Makes a tool's input of a JSON Schema from outside: that of an MCP server, or of a front end. The model sees the schema as it is. Arguments are
 * checked against it in a thread and with a time limit, and never on the event loop, where not even the schema is compiled: patterns and references are programs of their author. What
 * zod cannot say the tool has to check, which looks at its arguments in any case.
 *
 * @param author of the tool, such as `mcp:github`; checks outside of a run take turns by it
 * @throws when it is too large
 */
export function createSchemaInput(schema: JsonSchema, author: string): z.ZodObject {
  if (JSON.stringify(schema).length > LARGEST_SCHEMA) {
    throw new Error(`The schema is larger than ${LARGEST_SCHEMA / 1024} KiB.`);
  }
  const { id: _, ...shown } = schema as Readonly<Record<string, unknown>>;
  const principal = { tenant: '', userId: author };
  return z
    .looseObject({})
    .superRefine(async (value, context) => {
      for (const { message, path } of await fit({ schema, value, whenUnknown: 'fits' }, principal)) {
        context.addIssue({ code: 'custom', message, path: [...path] });
      }
    })
    .meta(shown);
}

async function fit(
  input: Parameters<typeof compute<'fit-schema'>>[1],
  fallback: PoolCaller['principal'],
): Promise<readonly SchemaMismatch[]> {
  const caller = toolCaller.getStore() ?? { principal: fallback, signal: new AbortController().signal };
  try {
    return await compute('fit-schema', input, FIT_LIMIT_MS, caller);
  } catch {
    return [{ message: 'They could not be checked against the schema of the tool in time.', path: [] }];
  }
}
