import { AppError } from '../../errors.js';
import type { ToolRegistry } from '../tool.registry.js';
import type { McpServerOptions } from './mcp.options.js';
import { McpServer } from './mcp.server.js';

/** All MCP servers of an instance of the module. */
export class McpServers {
  private readonly servers: readonly McpServer[];

  /** @throws AppError CONFIG_INVALID when two have the same name */
  constructor(options: readonly McpServerOptions[], registry: ToolRegistry) {
    const names = options.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined)
      throw new AppError(
        'CONFIG_INVALID',
        `Two servers in mcp of ChatModule are named '${twice}'. Rename one.`,
      );
    this.servers = options.map((each) => new McpServer(each, registry));
  }

  /** See {@link McpServer.start}. */
  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
