import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterEach } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { addEdge } from '../../src/app/bootstrap.js';
import { loadConfig } from '../../src/app/config.js';
import { createLog } from '../../src/app/log.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import type { ChatModuleExtras, ChatModuleOptions } from '../../src/chat/chat.options.js';
import { SseStreams } from '../../src/http/sse-streams.js';
import type { Storage } from '../../src/storage/storage.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { OpenStreams } from '../../src/throttling/open-streams.js';
import { EventStream, type StreamRequest } from './event-stream.js';
import { defaultStorage } from './storages.js';

/** The script of the agent; or all options, if a test needs others. */
export type Play = ConstructorParameters<typeof ScriptedAgent>[0];
export type ChatServerOptions = Partial<ChatModuleOptions & ChatModuleExtras> & {
  readonly play?: Play;
  /** Sees the application before it listens. */
  readonly prepare?: (app: NestExpressApplication) => void;
  /** Of the standalone app's edge, as the environment has them. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** The chat module behind the standalone app's edge, with an agent that does what the test says, on a real port. */
export class ChatServer {
  private constructor(
    readonly app: NestExpressApplication,
    readonly storage: Storage,
  ) {}

  static async start({
    play = () => {},
    prepare,
    settings = {},
    ...options
  }: ChatServerOptions = {}): Promise<ChatServer> {
    const storage = options.storage ?? defaultStorage();
    const module = ChatModule.forRoot({
      auth: { kind: 'local' },
      agents: () => [new ScriptedAgent(play)],
      throttling: { startsPerMinute: 100_000, maxOpenStreams: 100_000 },
      drainMs: 0,
      ...options,
      storage,
    });
    const app = await NestFactory.create<NestExpressApplication>(module, {
      logger: false,
      abortOnError: false,
      bodyParser: false,
      return503OnClosing: true,
    });
    prepare?.(app);
    addEdge(app, loadConfig(settings), createLog({ level: 'silent' }));
    await app.listen(0, '127.0.0.1');
    return new ChatServer(app, storage);
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get http(): Server {
    return this.app.getHttpServer();
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Of the API. */
  get url(): string {
    return `${this.origin}/api/chat`;
  }

  get streams(): SseStreams {
    return this.app.get(SseStreams);
  }

  /** Principals with an open stream. */
  get readers(): number {
    return this.app.get(OpenStreams, { strict: false }).principals;
  }

  /** Sends JSON and reads JSON. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body: json };
  }

  /** Starts a run that nobody watches yet. */
  async startRun(body: unknown = { message: 'hello' }, headers?: Record<string, string>) {
    const { status, body: started } = await this.call('POST', '/runs', body, headers);
    if (status !== 202) throw new Error(`The run was not started: ${JSON.stringify(started)}`);
    return started as { runId: string; threadId: string; eventsUrl: string };
  }

  /** Starts a run and watches it. */
  ask(body: unknown = { message: 'hello' }, headers: Record<string, string> = {}): Promise<EventStream> {
    return EventStream.open(this.url, { method: 'POST', body, headers });
  }

  /** Watches a run; `after` is sent as Last-Event-ID. */
  watch(runId: string, after?: string, { headers = {}, ...rest }: StreamRequest = {}): Promise<EventStream> {
    return EventStream.open(`${this.url}/runs/${runId}/events`, {
      ...rest,
      headers: { ...headers, ...(after !== undefined && { 'last-event-id': after }) },
    });
  }

  /** Starts a run and waits for its end. */
  async finishedRun(body?: unknown): Promise<EventStream & { readonly runId: string }> {
    const stream = await this.ask(body);
    const { data } = await stream.frame('ready');
    await stream.closed();
    return Object.assign(stream, { runId: String(data['runId']) });
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/** Starts servers that are closed after each test. */
export function chatServers(): (options?: ChatServerOptions) => Promise<ChatServer> {
  const servers: ChatServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.http.closeAllConnections();
      await server.close();
    }
  });
  return async (options) => {
    const server = await ChatServer.start(options);
    servers.push(server);
    return server;
  };
}

/** A promise and what settles it: how a test holds an agent at a certain point. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
