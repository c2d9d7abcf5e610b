import type { LoggerService } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Authenticator } from '../auth/authenticator.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { SecurityLog } from '../security/security-log.service.js';
import type { Storage } from '../storage/storage.js';
import { AppModule } from './app.module.js';
import { storageFor } from './app.storage.js';
import { BodyBudget, bodyLimitsWithin } from '../http/body-budget.js';
import { bodyBytesFor } from './body-limits.js';
import { deferJsonBodies, holdContinue, sessionBodies } from './body.js';
import type { Config } from './config.js';
import { limitConnections, cutStalled, forbidPipelining } from './connections.js';
import { createLog, type Log } from './log.js';
import { NestLog } from './log-nest.js';
import { requestLog } from './log-requests.js';
import { serveOpenApi } from './openapi.js';
import { page } from './page.js';
import { PROTOCOLS_PREFIX } from './protocols-prefix.js';
import { SESSION_PATH } from './session-path.js';
import { securityHeaders } from './security-headers.js';
import { traceRequests } from './telemetry-sdk.js';

export interface AppOptions {
  /** The storage for runs. Default: as the settings say. */
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
  const module = AppModule.forRoot(config, options.storage ?? (await storageFor(config)));
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

/** Adds the middleware that every request passes before it meets a controller, in this order, and the error replies. */
export function addEdge(app: NestExpressApplication, config: Config, log: Log): void {
  app.set('trust proxy', config.http.trustProxy);
  app.disable('x-powered-by');
  app.use(forbidPipelining());
  app.use(cutStalled());
  app.use(requestLog(log, config.logging));
  if (config.telemetry.isExporting) app.use(traceRequests());
  addBodies(app, config);
  app.use(securityHeaders({ tls: config.http.tls !== undefined }));
  // Before CORS, because no other origin loads the page's files.
  if (config.roles.includes('api')) app.use(page());
  app.enableCors(cors(config.http.corsOrigins));
  app.useGlobalFilters(new ProblemFilter(app.get(HttpAdapterHost), app.get(SecurityLog, { strict: false })));
  if (config.roles.includes('api')) serveOpenApi(app, config.chat);
  setUpServer(app, config);
}

/**
 * Allows the headers that EventSource and fetch clients of other origins send and read. Origins are listed, so credentials may be
 * allowed.
 */
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
      'problem-code',
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

/** No body is read before its caller is known, and no more of them at a time than the settings allow. */
function addBodies(app: NestExpressApplication, { http, chat }: Config): void {
  const budget = new BodyBudget(bodyLimitsWithin(http.maxBodyBytesInFlight));
  const bodyBytes = bodyBytesFor(chat.maxMessageBytes);
  app.use(`/${PROTOCOLS_PREFIX}`, deferJsonBodies(budget, Math.max(bodyBytes, http.maxHistoryBytes)));
  app.use(deferJsonBodies(budget, bodyBytes));
  app.use(`/${SESSION_PATH}`, sessionBodies(budget, app.get(Authenticator, { strict: false })));
}

/** Slow senders are cut off; a stream may stay open as long as it likes, because its request has been received whole. */
function setUpServer(app: NestExpressApplication, { http }: Config): void {
  const server: Server = app.getHttpServer();
  const isTrusted = app.getHttpAdapter().getInstance().get('trust proxy fn') as TrustProxy;
  limitConnections(server, {
    total: http.maxConnections,
    perAddress: http.maxConnectionsPerAddress,
    isProxy: (address) => isTrusted(address, 0),
  });
  server.timeout = 0;
  server.keepAliveTimeout = http.keepAliveMs;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    holdContinue(request);
    server.emit('request', request, response);
  });
}

/** Express's reading of `trust proxy`: whether an address is a proxy's, so many hops away. */
type TrustProxy = (address: string, hop: number) => boolean;
