import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

/** A server's reply to a request: a result, or an error of JSON-RPC. */
export type McpAnswer =
  | { readonly result: object }
  | { readonly error: { code: number; message: string } }
  /** Messages in a stream, as they are; those with a result or an error get the id of the request. */
  | { readonly stream: readonly (object | string)[] };

export interface ScriptedMcp {
  readonly url: string;
  /** The methods of the requests that it has answered, in their order. */
  readonly asked: string[];
  /** The headers that came with each of them. */
  readonly headers: IncomingHttpHeaders[];
  /** Forgets its sessions, as a restart would. */
  forget(): void;
  close(): Promise<void>;
}

/** Starts an MCP server on loopback, streamable HTTP with sessions, that answers as the script says. */
export async function startMcp(
  answer: (method: string, params: Record<string, unknown>) => McpAnswer,
): Promise<ScriptedMcp> {
  const sessions = new Set<string>();
  const asked: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let minted = 0;
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method, params = {} } = JSON.parse(Buffer.concat(parts).toString()) as Message;
      const isFirst = method === 'initialize';
      if (!isFirst && !sessions.has(String(request.headers['mcp-session-id']))) {
        response.writeHead(404, { 'content-type': 'application/json' });
        const error = { code: -32001, message: 'Session not found' };
        return void response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }));
      }
      if (id === undefined) return void response.writeHead(202).end();
      asked.push(method);
      headers.push(request.headers);
      const session = isFirst ? `session-${++minted}` : undefined;
      if (session) sessions.add(session);
      const said = isFirst ? { result: INITIALIZED } : answer(method, params);
      response.writeHead(200, {
        'content-type': 'stream' in said ? 'text/event-stream' : 'application/json',
        ...(session && { 'mcp-session-id': session }),
      });
      if ('stream' in said) response.end(said.stream.map((message) => toFrame(message, id)).join(''));
      else response.end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    asked,
    headers,
    forget: () => sessions.clear(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toFrame(message: object | string, id: number): string {
  if (typeof message === 'string') return message;
  const addressed = 'method' in message ? message : { id, ...message };
  return `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...addressed })}\n\n`;
}

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'scripted', version: '1' },
};
