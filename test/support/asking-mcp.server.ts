import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { ElicitRequestFormParams as Question, ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

export type { Question };

/** Asks the person for something; `apart` on the session's own stream, where nothing says to which call the question belongs. */
type Ask = (question: Question, apart?: boolean) => Promise<ElicitResult>;

export interface AskingMcp {
  readonly url: string;
  /** The calls that have begun, in their order. */
  readonly begun: string[];
  /** Words of what went wrong inside of calls. */
  readonly failures: string[];
}

/** An MCP server of the SDK on loopback with one tool, `book`, that does what the test says. */
export function askingServers(): (
  book: (ask: Ask, what: string) => Promise<string>,
  annotations?: Readonly<Record<string, boolean>>,
  /** Before the tool does anything. */
  onBegun?: () => Promise<void>,
) => Promise<AskingMcp> {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  return async (book, annotations = {}, onBegun = async () => {}) => {
    const begun: string[] = [];
    const failures: string[] = [];
    const sessions = new Map<string, StreamableHTTPServerTransport>();
    const openSession = async () => {
      const mcp = new McpServer({ name: 'asking', version: '1' });
      const inputSchema = { what: z.string() };
      mcp.registerTool(
        'book',
        { description: 'Books.', inputSchema, annotations },
        async ({ what }, extra) => {
          begun.push(what);
          await onBegun();
          const ask: Ask = (question, apart = false) =>
            mcp.server.elicitInput(question, {
              timeout: 60_000,
              ...(!apart && { relatedRequestId: extra.requestId }),
            });
          try {
            return { content: [{ type: 'text', text: await book(ask, what) }] };
          } catch (error) {
            failures.push(String(error));
            throw error;
          }
        },
      );
      const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
      await mcp.connect(transport);
      return transport;
    };
    const handle = async (request: IncomingMessage, response: ServerResponse) => {
      const known = sessions.get(String(request.headers['mcp-session-id']));
      await (known ?? (await openSession())).handleRequest(request, response);
    };
    const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(async () => {
      for (const session of sessions.values()) await session.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, begun, failures };
  };
}
