import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunEvent } from '../../src/events/run-event.js';

/** Speaks the protocol as a test tells it to: one entry of `streams` for each stream that is asked for. */
export class StreamServer {
  readonly streams: ((stream: ScriptedStream) => unknown)[] = [];
  readonly connections: { lastEventId: string | null; authorization?: string; url: URL }[] = [];
  record: Record<string, unknown> = { status: 'running' };
  ticketStatus: number | 'never' = 200;
  private tickets = 0;
  private readonly open = new Set<ServerResponse>();
  private readonly watchers = new Set<() => void>();

  private constructor(private readonly http: Server) {
    http.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.handle(request, response),
    );
  }

  static async listen(): Promise<StreamServer> {
    const http = createServer();
    const server = new StreamServer(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  streamsClosed(): Promise<void> {
    return this.until(() => this.open.size === 0);
  }

  ticketAsked(): Promise<void> {
    return this.until(() => this.tickets > 0);
  }

  connected(count: number): Promise<void> {
    return this.until(() => this.connections.length >= count);
  }

  private until(seen: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!seen()) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.origin);
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /api/chat/runs/r1/events':
        return this.stream(request, response, url);
      case 'POST /api/chat/runs/r1/ticket':
        return this.ticket(response);
      case 'POST /api/chat/runs':
        return reply(response, 202, { runId: 'r1', threadId: 't1' });
      default:
        return reply(response, 200, { id: 'r1', threadId: 't1', ...this.record });
    }
  }

  private stream(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const header = request.headers['last-event-id'];
    this.connections.push({
      lastEventId: typeof header === 'string' ? header : url.searchParams.get('lastEventId'),
      ...(request.headers.authorization && { authorization: request.headers.authorization }),
      url,
    });
    this.watch(response);
    this.streams.shift()?.(new ScriptedStream(response));
    this.look();
  }

  private ticket(response: ServerResponse): void {
    this.tickets += 1;
    this.watch(response);
    if (this.ticketStatus !== 'never') {
      reply(response, this.ticketStatus, { ...REASON, ticket: `ticket-${this.tickets}` });
    }
    this.look();
  }

  private watch(response: ServerResponse): void {
    this.open.add(response);
    response.on('close', () => {
      this.open.delete(response);
      this.look();
    });
  }

  private look(): void {
    for (const watch of this.watchers) watch();
  }
}

/** One stream, as its test writes it. */
export class ScriptedStream {
  /** Time by which this server's clock is ahead of the others', in milliseconds. */
  aheadMs = 0;
  private seq = 0;
  private epoch = 1;

  constructor(private readonly response: ServerResponse) {}

  /** Sets the number of the next event. */
  from(seq: number, epoch = 1): this {
    this.seq = seq - 1;
    this.epoch = epoch;
    return this;
  }

  send(...events: readonly RunEvent[]): this {
    const cursor = this.seq === 0 ? 'r1.0.0' : `r1.${this.epoch}.${this.seq}`;
    const at = Date.now() + this.aheadMs;
    this.frame(cursor, 'ready', { type: 'ready', runId: 'r1', threadId: 't1', at });
    for (const event of events) this.frame(`r1.${this.epoch}.${++this.seq}`, event.type, event);
    return this;
  }

  frame(id: string, name: string, data: unknown): void {
    if (!this.response.headersSent) {
      this.response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\nretry: 2\n\n');
    }
    this.response.write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** The plan of one step: its text, its tool, and the deaths of its owner in the middle of it. */
  cut(): void {
    if (!this.response.headersSent) this.response.destroy();
    else this.response.write(':\n\n', () => this.response.destroy());
  }

  refuse(status: number, headers: Record<string, string> = {}): void {
    reply(this.response, status, status === 204 ? undefined : REASON, headers);
  }
}

const REASON = { code: 'TESTED', detail: 'A reason to show.' };

function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
