import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { AppError } from '../../errors.js';
import { fetchWithTraceFor } from '../../telemetry/carry-trace.js';
import type { ToolQuestion } from '../call-questions.js';
import type { McpHttp, McpServerOptions, McpStdio } from './mcp.options.js';
import type { McpQuestions } from './mcp-questions.js';

export type McpClient = Client;

/** Bytes of JSON of a question, which is stored in the run's log. */
const LARGEST_QUESTION = 64 * 1024;

export interface McpListeners {
  /** The server has other tools than before. */
  readonly changed: () => void;
  readonly questions: Pick<McpQuestions, 'ask'>;
}

/**
 * Connects to a server: by streamable HTTP, by the older SSE transport if the server knows no other, or as a process of our own.
 *
 * @throws AppError CONFIG_INVALID when the package is not installed; otherwise whatever kept the server away
 */
export async function connectMcp(
  { transport }: Pick<McpServerOptions, 'transport'>,
  listeners: McpListeners,
): Promise<McpClient> {
  const sdk = await load();
  const connect = async (link: Transport) => {
    const client = createClient(sdk, listeners);
    await client.connect(link);
    return client;
  };
  if ('command' in transport) return connect(new sdk.StdioClientTransport(toProcess(transport)));
  const [url, options] = toRequest(transport);
  try {
    return await connect(new sdk.StreamableHTTPClientTransport(url, options));
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (!(error instanceof sdk.StreamableHTTPError) || typeof code !== 'number' || code < 400 || code > 499)
      throw error;
    // Its own failure tells more than that of the older transport.
    return await connect(new sdk.SSEClientTransport(url, options)).catch(() => {
      throw error;
    });
  }
}

function createClient(sdk: Awaited<ReturnType<typeof load>>, { changed, questions }: McpListeners): Client {
  const client = new sdk.Client(
    { name: 'nestjs-agent-stream', version: '1' },
    // Forms only: an address that a server wants a person to open is refused by the SDK.
    { capabilities: { elicitation: { form: {} } } },
  );
  client.setNotificationHandler(sdk.ToolListChangedNotificationSchema, changed);
  client.setRequestHandler(sdk.ElicitRequestSchema, async ({ params }) => {
    const { message, requestedSchema } = params as {
      message: string;
      requestedSchema: ToolQuestion['schema'];
    };
    const schema = requestedSchema;
    if (JSON.stringify([message, schema]).length > LARGEST_QUESTION)
      throw new Error(`The question is larger than ${LARGEST_QUESTION / 1024} KiB.`);
    const answer = await questions.ask({ message, schema });
    if (answer.action !== 'accept') return { action: answer.action };
    return { action: answer.action, content: answer.content as Record<string, string> };
  });
  return client;
}

function toRequest({ url, headers }: McpHttp) {
  return [
    new URL(url),
    { fetch: fetchWithTraceFor, ...(headers && { requestInit: { headers: { ...headers } } }) },
  ] as const;
}

function toProcess({ command, args = [], env, cwd }: McpStdio) {
  return {
    command,
    args: [...args],
    ...(env && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
    stderr: 'ignore' as const,
  };
}

async function load() {
  try {
    const [client, types, http, sse, stdio] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/types.js'),
      import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
      import('@modelcontextprotocol/sdk/client/sse.js'),
      import('@modelcontextprotocol/sdk/client/stdio.js'),
    ]);
    return { ...client, ...types, ...http, ...sse, ...stdio };
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new AppError(
      'CONFIG_INVALID',
      'MCP servers need a package that is not installed: npm i @modelcontextprotocol/sdk',
      { cause },
    );
  }
}
