import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import type { INestApplication, NestApplicationOptions, Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EventStream, type StreamRequest } from '../support/event-stream.js';

export type Framework = 'express' | 'fastify';
export const FRAMEWORKS: readonly Framework[] = ['express', 'fastify'];

export interface HostOptions extends NestApplicationOptions {
  readonly framework?: Framework;
  /** Sees the application before it listens. */
  readonly prepare?: (app: INestApplication) => void;
}

/** Somebody's application with our module in it, on a real port, with nothing of our standalone app around it. */
export class HostServer {
  private constructor(readonly app: INestApplication<Server>) {}

  static async start(
    module: Type | DynamicModule,
    { framework = 'express', prepare, ...options }: HostOptions = {},
  ): Promise<HostServer> {
    const adapter = framework === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create<INestApplication<Server>>(module, adapter, {
      logger: false,
      abortOnError: false,
      ...options,
    });
    prepare?.(app);
    await app.listen(0, '127.0.0.1');
    return new HostServer(app);
  }

  get port(): number {
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Sends JSON and reads JSON. The body of a reply without JSON is undefined. */
  async call(
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ) {
    const response = await fetch(this.url(path), {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
    const json = (isJson ? JSON.parse(text) : undefined) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body: json, text };
  }

  stream(path: string, request?: StreamRequest): Promise<EventStream> {
    return EventStream.open(this.url(path), request);
  }

  ask(path = '/api/chat', request: StreamRequest = {}): Promise<EventStream> {
    return this.stream(path, { method: 'POST', body: { message: 'hello' }, ...request });
  }

  async close(): Promise<void> {
    this.app.getHttpServer().closeAllConnections();
    await this.app.close();
  }
}

/** Starts hosts that are closed after each test. */
export function hostServers(): typeof HostServer.start {
  const servers: HostServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (module, options) => {
    const server = await HostServer.start(module, options);
    servers.push(server);
    return server;
  };
}
