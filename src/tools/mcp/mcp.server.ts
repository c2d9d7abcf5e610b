import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { Tool } from '../agent-tool.js';
import type { ToolRegistry } from '../tool.registry.js';
import { McpConnection, type McpResult, type McpToolDescription } from './mcp.connection.js';
import type { McpServerOptions } from './mcp.options.js';
import { mcpTool } from './mcp.tool.js';

const PING_MS = 10_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/**
 * Keeps the tools of one MCP server in the registry for as long as the server is there. When it dies they are taken out, so
 * that no agent calls into the void; then it is tried again until it is back, or until `close`.
 */
export class McpServer {
  private readonly logger = new Logger(McpServer.name);
  private connection: McpConnection | undefined;
  private registered: string[] = [];
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly options: McpServerOptions,
    private readonly registry: ToolRegistry,
  ) {}

  /**
   * Resolves when the tools are there, or when the server is away: it is tried again then.
   *
   * @throws AppError TOOL_DUPLICATE, TOOL_INVALID, CONFIG_INVALID: faults that another try would not mend
   */
  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      if (error instanceof AppError) throw error;
      this.away(error);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.takeOut();
    const { connection } = this;
    this.connection = undefined;
    await connection?.close();
  }

  private async connect(): Promise<void> {
    const connection = await McpConnection.open(this.options, () => void this.refresh());
    if (this.closed) return connection.close();
    this.connection = connection;
    connection.onClosed(() => this.lose(connection));
    try {
      await this.takeIn(connection);
    } catch (error) {
      this.connection = undefined;
      await connection.close();
      throw error;
    }
    this.failures = 0;
    this.logger.log({ server: this.options.name, tools: this.registered }, 'MCP server connected');
    this.watch(connection);
  }

  /** A server whose connection breaks says so; one that hangs, or sits behind HTTP, has to be asked. */
  private watch(connection: McpConnection): void {
    this.timer = setTimeout(() => {
      connection.ping().then(
        () => this.connection === connection && this.watch(connection),
        () => this.lose(connection),
      );
    }, this.options.pingMs ?? PING_MS).unref();
  }

  private lose(connection: McpConnection): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    // What it would still have to say is no longer of interest.
    void connection.close().catch(() => undefined);
    this.away(new Error('The connection ended.'));
  }

  private away(error: unknown): void {
    const taken = this.takeOut();
    if (this.closed) return;
    const { name, retryMs = RETRY_MS } = this.options;
    const pauseMs = Math.min(retryMs * 2 ** this.failures++, LONGEST_RETRY_MS);
    const fact = { server: name, tools: taken, err: error };
    this.logger.warn(fact, `The MCP server '${name}' is away; its tools are taken out until it is back.`);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.again(), pauseMs);
    this.timer.unref();
  }

  private async again(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      this.away(error);
    }
  }

  /** The server has other tools than before. */
  private async refresh(): Promise<void> {
    const { connection } = this;
    try {
      if (connection) await this.takeIn(connection);
    } catch (error) {
      this.logger.error(
        { err: error, server: this.options.name },
        'The new tools of the MCP server are unusable.',
      );
    }
  }

  private async takeIn(connection: McpConnection): Promise<void> {
    const described = await connection.tools();
    if (this.connection !== connection) return;
    this.takeOut();
    for (const tool of described.flatMap((each) => this.toolOf(each, connection) ?? [])) {
      this.registry.register(tool, `the MCP server '${this.options.name}'`);
      this.registered.push(tool.name);
    }
  }

  private toolOf(described: McpToolDescription, connection: McpConnection): Tool | undefined {
    try {
      return mcpTool(described, this.options, (...call) => this.call(connection, ...call));
    } catch (error) {
      const fact = { err: error, server: this.options.name, tool: described.name };
      this.logger.warn(fact, 'A tool of the MCP server is left out: its schema cannot be used.');
      return undefined;
    }
  }

  /** A call that fails may be the first sign that the server has gone. */
  private async call(
    connection: McpConnection,
    ...call: Parameters<McpConnection['call']>
  ): Promise<McpResult> {
    try {
      return await connection.call(...call);
    } catch (error) {
      connection.ping().catch(() => this.lose(connection));
      throw error;
    }
  }

  private takeOut(): string[] {
    const taken = this.registered;
    this.registered = [];
    for (const name of taken) this.registry.unregister(name);
    return taken;
  }
}
