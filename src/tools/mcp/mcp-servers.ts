import { AppError } from '../../errors.js';
import type { ToolRegistry } from '../tool.registry.js';
import type { McpServerOptions } from './mcp.options.js';
import type { McpPins } from './mcp-pins.js';
import { McpServer } from './mcp.server.js';

/** All MCP servers of an instance of the module. */
export class McpServers {
  private readonly servers: readonly McpServer[];

  /** @throws AppError CONFIG_INVALID when two have the same name */
  constructor(options: readonly McpServerOptions[], registry: ToolRegistry, pins?: McpPins) {
    const names = options.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined)
      throw new AppError(
        'CONFIG_INVALID',
        `Two servers in mcp of ChatModule are named '${twice}'. Rename one.`,
      );
    this.servers = options.map((each) => new McpServer(each, registry, pins));
  }

  /** See {@link McpServer.start}. */
  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
  }

  /** Looks at their tools again: some may have been accepted. */
  async refresh(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.refresh()));
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
