import type { LoggerService } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Server } from 'node:http';
import { ProblemFilter } from '../http/problem.filter.js';
import type { Storage } from '../storage/storage.js';
import { AppModule, PROTOCOLS_PREFIX } from './app.module.js';
import { storageFor } from './app.storage.js';
import { bodyBytesFor, jsonBody } from './body.js';
import type { Config } from './config.js';
import { createLog, type Log } from './log.js';
import { NestLog } from './log.nest.js';
import { requestLog } from './log.requests.js';
import { serveOpenApi } from './openapi.js';
import { page } from './page.js';
import { securityHeaders } from './security-headers.js';

export interface AppOptions {
  /** Where runs are kept. Default: as the settings say. */
  readonly storage?: Storage;
  /** Default: JSON lines on standard output. */
  readonly log?: Log;
}

/**
 * Makes the standalone app, ready for `listen`. It installs no signal handlers and listens on nothing itself, so that tests
 * can run several side by side.
 *
 * @throws AppError when the storage cannot be opened or an agent cannot be loaded
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<NestExpressApplication> {
  const log = options.log ?? createLog(config.logging);
  const { storage } = options;
  const module = AppModule.forRoot(config, storage ? { storage } : await storageFor(config));
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger: new NestLog(log) satisfies LoggerService,
    abortOnError: false,
    bodyParser: false,
    // Requests that arrive during the drain are told to go elsewhere.
    return503OnClosing: true,
    ...(config.http.tls && { httpsOptions: config.http.tls }),
  });
  addEdge(app, config, log);
  return app;
}

/** What every request passes before it meets a controller, in this order, and how errors are answered. */
export function addEdge(app: NestExpressApplication, config: Config, log: Log): void {
  app.set('trust proxy', config.http.trustProxy);
  app.disable('x-powered-by');
  app.use(requestLog(log, config.logging));
  app.use(securityHeaders({ tls: config.http.tls !== undefined }));
  app.enableCors(cors(config.http.corsOrigins));
  if (config.roles.includes('api')) app.use(page());
  const bodyBytes = bodyBytesFor(config.limits.maxMessageBytes);
  app.use(`/${PROTOCOLS_PREFIX}`, jsonBody(Math.max(bodyBytes, config.limits.maxHistoryBytes)));
  app.use(jsonBody(bodyBytes));
  app.useGlobalFilters(new ProblemFilter(app.get(HttpAdapterHost)));
  if (config.roles.includes('api')) serveOpenApi(app, config);
  setTimeouts(app.getHttpServer(), config.http.keepAliveMs);
}

/** What EventSource and fetch clients of other origins send and read. Origins are listed, so credentials may be allowed. */
function cors(origins: readonly string[]) {
  return {
    origin: [...origins],
    credentials: true,
    allowedHeaders: [
      'authorization',
      'cache-control',
      'content-type',
      'idempotency-key',
      'last-event-id',
      'x-api-key',
    ],
    exposedHeaders: [
      'content-location',
      'location',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
    ],
    maxAge: 600,
  };
}

/** Slow senders are cut off; a stream may stay open as long as it likes, because its request has been received whole. */
function setTimeouts(server: Server, keepAliveMs: number): void {
  server.headersTimeout = 15_000;
  server.requestTimeout = 30_000;
  server.timeout = 0;
  server.keepAliveTimeout = keepAliveMs;
}
