import type { Tool } from '../agent-tool.js';
import type { McpConnection, McpResult, McpToolDescription } from './mcp-connection.js';
import { MediaResult, type ToolImage } from '../media-result.js';
import { createSchemaInput } from '../schema-input.js';
import { ToolError } from '../tool.error.js';
import type { McpServerOptions, McpToolOptions } from './mcp.options.js';
import { toSendableSchema } from './sendable-schema.js';

/** Default timeout of a tool's call, in milliseconds, as for every tool. */
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * A tool of an MCP server as one of ours. Undefined: the options leave it out.
 *
 * @throws when its schema cannot be sent to a model
 */
export function mcpTool(
  described: McpToolDescription,
  { name: server, defaults, tools = {}, trustReadOnly = false }: McpServerOptions,
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
    sideEffect: getSideEffect(described),
    reads: 'foreign',
    effects: trustReadOnly && described.annotations?.readOnlyHint ? 'none' : 'outside',
    ...options,
    name: `${server}_${name}`.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64),
    mcpServer: server,
    input: createSchemaInput(described.inputSchema, `mcp:${server}`),
    inputSchema: toSendableSchema(described.inputSchema),
    execute: async (input, context) =>
      toResult(
        options.expose?.output === true,
        await call(name, input, {
          asker: {
            signal: context.signal,
            // A call that must not be made twice cannot wait for its answer: that would be given to a second one.
            ask:
              options.sideEffect === 'once'
                ? async () => ({ action: 'cancel' })
                : (question) => context.ask(question),
          },
          // Ours is the one that counts; theirs, which is a minute, must not come before it.
          timeout: timeoutMs + 1_000,
          onprogress: ({ progress: done, total, message }) =>
            context.progress({ ...(message && { message }), ...(total && { fraction: done / total }) }),
        }),
      ),
  };
}

/** The hints of a server are only that, so what it does not promise is not assumed. */
function getSideEffect({ annotations = {} }: McpToolDescription): Tool['sideEffect'] {
  if (annotations.readOnlyHint) return 'none';
  return annotations.idempotentHint ? 'idempotent' : 'once';
}

/**
 * Returns the result that the model reads.
 *
 * @param isShown people may read what the tool puts out, and so why it failed
 * @throws ToolError what the server says went wrong
 */
function toResult(isShown: boolean, { content, structuredContent, isError }: McpResult): unknown {
  const text = content.map(toText).join('\n');
  if (isError) {
    const told = text || 'The MCP server gave no reason.';
    throw new ToolError(isShown ? told.slice(0, SHOWN) : 'The MCP server reported that the call failed.', {
      modelMessage: told,
    });
  }
  const words = structuredContent ?? text;
  const images = content.flatMap(toImages);
  return images.length > 0 ? new MediaResult(words, images) : words;
}

/** Characters of a server's own words that people are shown. */
const SHOWN = 500;
/** Base64 characters of an image that every provider takes. */
const LARGEST_IMAGE = 5_000_000;

function toImages({ type, data, mimeType, resource }: McpResult['content'][number]): ToolImage[] {
  const image =
    type === 'image' ? { data, mimeType } : { data: resource?.blob, mimeType: resource?.mimeType };
  const isSeen = image.data !== undefined && image.data.length <= LARGEST_IMAGE;
  return isSeen && /^image\/(png|jpeg|gif|webp)$/.test(image.mimeType ?? '')
    ? [{ data: image.data!, mimeType: image.mimeType! }]
    : [];
}

/** Content other than text is only mentioned to the model. */
function toText({
  type,
  text,
  mimeType = 'unknown type',
  uri,
  resource,
}: McpResult['content'][number]): string {
  if (text !== undefined) return text;
  return resource?.text ?? `[${type}: ${uri ?? resource?.uri ?? mimeType}]`;
}
