import type { ToolOptions } from '../agent-tool.js';

/** An MCP server, whose tools the agents get. Needs the package @langchain/mcp-adapters. */
export interface McpServerOptions {
  /** What it is called in logs and before its tools' names: `files` makes `files_read_file`. Unique in the module. */
  readonly name: string;
  readonly transport: McpStdio | McpHttp;
  /** What holds for all its tools. Default: everybody may call them, and nothing of input and output is shown. */
  readonly defaults?: McpToolOptions;
  /** What holds for single tools, by the server's own names for them. False: it is left out. */
  readonly tools?: Readonly<Record<string, McpToolOptions | false>>;
  /** How often a silent server is asked whether it is there, in milliseconds. Default 10,000. */
  readonly pingMs?: number;
  /** The pause before the first try to reach it again, in milliseconds; it doubles up to 30 s. Default 1,000. */
  readonly retryMs?: number;
}

/** A process that is started here, and speaks on its standard input and output. */
export interface McpStdio {
  readonly command: string;
  readonly args?: readonly string[];
  /** Beside PATH. Default: what is safe of this process's environment, which no secret is. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A server that is there already, by streamable HTTP. */
export interface McpHttp {
  readonly url: string;
  /** On every request; for credentials. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What the server does not say of a tool, or says otherwise. Without `sideEffect` the server's hints count: what it does not call
 * read-only or idempotent is not called twice.
 */
export type McpToolOptions = Partial<
  Pick<ToolOptions, 'label' | 'description' | 'expose' | 'timeoutMs' | 'roles' | 'sideEffect' | 'approval'>
>;
