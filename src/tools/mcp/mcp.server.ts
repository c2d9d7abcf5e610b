import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { Tool } from '../agent-tool.js';
import type { ToolRegistry } from '../tool.registry.js';
import {
  hasNotArrived,
  McpConnection,
  readTool,
  type McpResult,
  type McpToolDescription,
} from './mcp-connection.js';
import type { McpServerOptions } from './mcp.options.js';
import type { McpPins } from './mcp-pins.js';
import { McpQuestions } from './mcp-questions.js';
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
  private hasStarted = false;
  /** Counts the looks at its tools. */
  private taking = 0;
  /** The new session that takes the place of a lost one. */
  private renewing: Promise<McpConnection> | undefined;
  /** The questions of its calls, over all of its connections. */
  private readonly questions = new McpQuestions();
  /** Some of its tools are left out. */
  private isIncomplete = false;

  constructor(
    private readonly options: McpServerOptions,
    private readonly registry: ToolRegistry,
    private readonly pins?: McpPins,
  ) {}

  /**
   * Resolves when the tools are there, or when the server is away: it is tried again then.
   *
   * @throws AppError TOOL_DUPLICATE, CONFIG_INVALID: faults that another try would not mend
   */
  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      if (error instanceof AppError && error.code !== 'STORAGE_FAILED') throw error;
      this.handleLoss(error);
    }
    this.hasStarted = true;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.unregisterTools();
    const { connection } = this;
    this.connection = undefined;
    await connection?.close();
  }

  private async connect(): Promise<void> {
    const connection = await McpConnection.open(this.options, {
      changed: () => void this.refresh(),
      questions: this.questions,
    });
    if (this.closed) return connection.close();
    this.connection = connection;
    connection.onClosed(() => this.lose(connection));
    try {
      await this.registerTools(connection);
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
        () => {
          if (this.connection !== connection) return;
          // Somebody may have accepted what is left out, and word of it may be lost.
          if (this.isIncomplete) void this.refresh();
          this.watch(connection);
        },
        (error: unknown) => {
          if (hasNotArrived(error)) void this.renew(connection).catch(() => undefined);
          else this.lose(connection);
        },
      );
    }, this.options.pingMs ?? PING_MS).unref();
  }

  private lose(connection: McpConnection): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    // What it would still have to say is no longer of interest.
    void connection.close().catch(() => undefined);
    this.handleLoss(new Error('The connection ended.'));
  }

  /** Opens a session in the place of one that the server has forgotten. The tools stay where they are, unless it has gone altogether. */
  private renew(lost: McpConnection): Promise<McpConnection> {
    if (this.connection && this.connection !== lost) return Promise.resolve(this.connection);
    this.renewing ??= this.replace(lost).finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async replace(lost: McpConnection): Promise<McpConnection> {
    clearTimeout(this.timer);
    this.connection = undefined;
    void lost.retire().catch(() => undefined);
    try {
      if (!this.closed) await this.connect();
      if (!this.connection) throw new Error('The server was closed.');
      return this.connection;
    } catch (error) {
      this.handleLoss(error);
      throw error;
    }
  }

  private handleLoss(error: unknown): void {
    const taken = this.unregisterTools();
    if (this.closed) return;
    const { name, retryMs = RETRY_MS } = this.options;
    const pauseMs = Math.min(retryMs * 2 ** this.failures++, LONGEST_RETRY_MS);
    const fact = { server: name, tools: taken, err: error };
    this.logger.warn(
      fact,
      `The MCP server '${name}' cannot be reached. Its tools are removed until it is back.`,
    );
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.reconnectLater(), pauseMs);
    this.timer.unref();
  }

  private async reconnectLater(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      this.handleLoss(error);
    }
  }

  /** The server has other tools than before, or others were accepted. Never rejects. */
  async refresh(): Promise<void> {
    const { connection } = this;
    try {
      if (connection) await this.registerTools(connection);
    } catch (error) {
      this.logger.error(
        { err: error, server: this.options.name },
        'The new tools of the MCP server are unusable.',
      );
    }
  }

  private async registerTools(connection: McpConnection): Promise<void> {
    const taking = (this.taking += 1);
    const { tools: listed, isCut } = await connection.tools();
    const described = listed.flatMap((tool) => readTool(tool) ?? this.leaveOut(tool));
    if (isCut)
      this.logger.warn({ server: this.options.name }, 'The tool list of an MCP server does not end.');
    const { tools = {} } = this.options;
    const wanted = described.filter(({ name }) => tools[name] !== false);
    const admitted = (await this.pins?.admit(this.options, wanted)) ?? wanted;
    // A later look knows more.
    if (this.connection !== connection || taking !== this.taking) return;
    this.isIncomplete = admitted.length < wanted.length;
    this.unregisterTools();
    for (const tool of admitted.flatMap((each) => this.toTool(each, connection) ?? [])) {
      this.register(tool);
    }
  }

  private register(tool: Tool): void {
    const { name: server } = this.options;
    try {
      this.registry.register(tool, `the MCP server '${server}'`);
      this.registered.push(tool.name);
    } catch (error) {
      // Another's name is a fault of the configuration while the application starts, and later one of the server's.
      const isOfAnother =
        error instanceof AppError && error.code === 'TOOL_DUPLICATE' && !this.registered.includes(tool.name);
      if (isOfAnother && !this.hasStarted) throw error;
      const fact = { err: error, server, tool: tool.name };
      this.logger.warn(fact, 'A tool of the MCP server is left out: it cannot be registered.');
    }
  }

  private leaveOut(described: unknown): [] {
    const fact = { server: this.options.name, tool: (described as { readonly name?: unknown } | null)?.name };
    this.logger.warn(fact, 'A tool of the MCP server is left out: it has no name or no schema.');
    return [];
  }

  private toTool(described: McpToolDescription, connection: McpConnection): Tool | undefined {
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
      if (hasNotArrived(error)) return (await this.renew(connection)).call(...call);
      connection.ping().catch(() => this.lose(connection));
      throw error;
    }
  }

  private unregisterTools(): string[] {
    const taken = this.registered;
    this.registered = [];
    for (const name of taken) this.registry.unregister(name);
    return taken;
  }
}
