import { AppError } from '../errors.js';
import type { ClientTool } from '../events/client-tool.js';
import type { Tool } from './agent-tool.js';
import { toSendableSchema } from './mcp/sendable-schema.js';
import { createSchemaInput } from './schema-input.js';

/** The client's tools of a run, by name. A call of one waits until the client has sent its result. */
export type ClientTools = ReadonlyMap<string, Tool>;

const NO_TOOLS: ClientTools = new Map();

/** @throws AppError REQUEST_INVALID for a tool that cannot be shown to a model, or a name that is there twice */
export function toClientTools(declared: readonly ClientTool[] = []): ClientTools {
  if (declared.length === 0) return NO_TOOLS;
  const tools = new Map<string, Tool>();
  for (const each of declared) {
    if (tools.has(each.name)) throw refuseTool(each.name, 'The name is there twice.');
    tools.set(each.name, toTool(each));
  }
  return tools;
}

function toTool({ name, description, inputSchema = { type: 'object' } }: ClientTool): Tool {
  try {
    return {
      name,
      label: `Using ${name}…`,
      description,
      input: createSchemaInput(inputSchema, `client:${name}`),
      inputSchema: toSendableSchema(inputSchema),
      execute: () => {
        throw new Error(`'${name}' is made by the client.`);
      },
    };
  } catch (error) {
    throw refuseTool(name, error instanceof Error ? error.message : String(error));
  }
}

export function refuseTool(name: string, why: string): AppError {
  return new AppError('REQUEST_INVALID', `clientTools.${name}: ${why}`);
}
