import type { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { AppError } from '../../errors.js';
import type { McpServerOptions, McpStdio } from './mcp.options.js';

type Client = NonNullable<Awaited<ReturnType<MultiServerMCPClient['getClient']>>>;

/** A tool as its server describes it. */
export type McpToolDescription = Awaited<ReturnType<Client['listTools']>>['tools'][number];
export type McpResult = Awaited<ReturnType<Client['callTool']>>;
export type McpCallOptions = NonNullable<Parameters<Client['callTool']>[2]>;

/** How long a server may take to say that it is there, in milliseconds. */
const ANSWER_MS = 5_000;

/** One connection to one server, from when it stands until it is closed by either side. */
export class McpConnection {
  private constructor(
    private readonly adapter: MultiServerMCPClient,
    private readonly client: Client,
  ) {}

  /**
   * @param changed called when the server has other tools than before
   * @throws AppError CONFIG_INVALID when the package is not installed; otherwise whatever kept the server away
   */
  static async open(
    { name, transport }: Pick<McpServerOptions, 'name' | 'transport'>,
    changed: () => void,
  ): Promise<McpConnection> {
    const { MultiServerMCPClient } = await load();
    const server =
      'command' in transport ? stdio(transport) : { ...transport, headers: { ...transport.headers } };
    const adapter = new MultiServerMCPClient({ mcpServers: { [name]: server }, onToolsListChanged: changed });
    try {
      const client = await adapter.getClient(name);
      if (!client) throw new Error('There is no connection.');
      return new McpConnection(adapter, client);
    } catch (error) {
      await adapter.close();
      throw error;
    }
  }

  async tools(): Promise<McpToolDescription[]> {
    const found: McpToolDescription[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.client.listTools(cursor === undefined ? {} : { cursor });
      found.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return found;
  }

  call(name: string, args: Record<string, unknown>, options: McpCallOptions): Promise<McpResult> {
    return this.client.callTool({ name, arguments: args }, undefined, options);
  }

  /** Rejects when the server is not there any more. */
  async ping(): Promise<void> {
    await this.client.ping({ timeout: ANSWER_MS });
  }

  onClosed(listener: () => void): void {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    this.client.onclose = listener;
  }

  async close(): Promise<void> {
    await this.adapter.close();
  }
}

function stdio({ args = [], env, ...process }: McpStdio) {
  return { ...process, args: [...args], ...(env && { env: { ...env } }), stderr: 'ignore' as const };
}

async function load(): Promise<typeof import('@langchain/mcp-adapters')> {
  try {
    return await import('@langchain/mcp-adapters');
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new AppError(
      'CONFIG_INVALID',
      'MCP servers need a package that is not installed: npm i @langchain/mcp-adapters',
      { cause },
    );
  }
}
