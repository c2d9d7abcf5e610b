import { z } from 'zod';
import type { Tool } from '../agent-tool.js';
import type { McpConnection, McpResult, McpToolDescription } from './mcp.connection.js';
import type { McpServerOptions, McpToolOptions } from './mcp.options.js';

/** What a tool may take of time when nothing else is said, as for every tool. */
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * A tool of an MCP server as one of ours. Undefined: the options leave it out.
 *
 * @throws when its schema says what zod cannot
 */
export function mcpTool(
  described: McpToolDescription,
  { name: server, defaults, tools = {} }: McpServerOptions,
  call: McpConnection['call'],
): Tool | undefined {
  const own = tools[described.name];
  if (own === false) return undefined;
  const options: McpToolOptions = { ...defaults, ...own };
  const { name, title = described.annotations?.title ?? name, description = title } = described;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return {
    label: `Using ${title}…`,
    description,
    sideEffect: sideEffectOf(described),
    ...options,
    name: `${server}_${name}`.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64),
    input: z.fromJSONSchema(described.inputSchema as Parameters<typeof z.fromJSONSchema>[0]) as z.ZodObject,
    execute: async (input, context) =>
      answerOf(
        await call(name, input, {
          signal: context.signal,
          // Ours is the one that counts; theirs, which is a minute, must not come before it.
          timeout: timeoutMs + 1_000,
          onprogress: ({ progress: done, total, message }) =>
            context.progress({ ...(message && { message }), ...(total && { fraction: done / total }) }),
        }),
      ),
  };
}

/** The hints of a server are only that, so what it does not promise is not assumed. */
function sideEffectOf({ annotations = {} }: McpToolDescription): Tool['sideEffect'] {
  if (annotations.readOnlyHint) return 'none';
  return annotations.idempotentHint ? 'idempotent' : 'once';
}

/** What the model reads. @throws what the server says went wrong */
function answerOf(result: McpResult): unknown {
  const {
    content = [],
    structuredContent,
    isError,
  } = result as {
    content?: readonly ContentBlock[];
    structuredContent?: unknown;
    isError?: boolean;
  };
  const words = content.map(wordsOf).join('\n');
  if (isError) throw new Error(words || 'The server says no more than that it failed.');
  return structuredContent ?? words;
}

interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly uri?: string;
  readonly resource?: { readonly text?: string; readonly uri: string };
}

/** Of what is no text the model learns that it is there. */
function wordsOf({ type, text, mimeType = 'unknown type', uri, resource }: ContentBlock): string {
  if (text !== undefined) return text;
  return resource?.text ?? `[${type}: ${uri ?? resource?.uri ?? mimeType}]`;
}
