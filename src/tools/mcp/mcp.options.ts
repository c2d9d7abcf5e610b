import type { ToolOptions } from '../agent-tool.js';

/** An MCP server, whose tools the agents get. Needs the package @modelcontextprotocol/sdk. */
export interface McpServerOptions {
  /** The server's name in logs, and the prefix of its tools' names: `files` makes `files_read_file`. Unique in the module. */
  readonly name: string;
  readonly transport: McpStdio | McpHttp;
  /** Options for all its tools. Default: everybody may call them, and nothing of input and output is shown. */
  readonly defaults?: McpToolOptions;
  /** Options for single tools, by the server's own names for them. False: it is left out. */
  readonly tools?: Readonly<Record<string, McpToolOptions | false>>;
  /**
   * True if a tool that the server calls read-only counts as one without effects outside. Default false: it is the server's word,
   * and a tainted run would go by it.
   */
  readonly trustReadOnly?: boolean;
  /**
   * Rule for the tools that agents are given. Tools are pinned by a hash of name, title, description, input schema and annotations.
   * `first-use` (default): a tool is accepted when it is first seen, and left out when it changes. `first-list`: so is one that
   * comes later. `listed`: only what was accepted. `none`: whatever the server describes.
   */
  readonly pinning?: 'first-use' | 'first-list' | 'listed' | 'none';
  /** Hashes that are accepted: what the log names when it leaves a tool out. Default: none; operators may accept as well. */
  readonly accepted?: readonly string[];
  /** Time of silence after which a server is pinged, in milliseconds. Default 10,000. */
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
 * Options that the server does not give for a tool, or that override the server's. Without `sideEffect` the server's hints count:
 * what it does not call read-only or idempotent is not called twice. Without `reads` its results are words of strangers, without
 * `effects` its calls have effects outside.
 */
export type McpToolOptions = Partial<
  Pick<
    ToolOptions,
    | 'label'
    | 'description'
    | 'expose'
    | 'timeoutMs'
    | 'roles'
    | 'sideEffect'
    | 'approval'
    | 'reads'
    | 'effects'
  >
>;
