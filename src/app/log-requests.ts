import type { IncomingMessage, ServerResponse } from 'node:http';
import { pinoHttp } from 'pino-http';
import { attachedAuthentication } from '../auth/authentication.js';
import { callerAddress, rememberAddress } from '../security/caller-address.js';
import type { Log } from './log.js';
import { PROTOCOLS_PREFIX } from './protocols-prefix.js';

/**
 * One line per request when its answer has ended, which for a stream is when the stream has: at `info` for the API and the
 * protocols, at `debug` for the page and health checks. It says who asked and from where, and of the request the method and the
 * path: query strings may carry tickets and cursors, headers carry credentials, bodies carry prompts.
 *
 * @param options `prompts`: adds what people asked, as `prompt`. Default false
 */
export function requestLog(log: Log, { prompts = false }: { readonly prompts?: boolean } = {}) {
  const fields = (request: IncomingMessage, response: ServerResponse, durationMs: number) => ({
    ...describe(request, response, durationMs),
    ...(prompts && readPrompt(request)),
  });
  const logged = pinoHttp({
    logger: log,
    quietReqLogger: true,
    quietResLogger: true,
    customLogLevel: (request, response) => getLevel(getPath(request), response.statusCode),
    customSuccessMessage: (request, response) => summary(request, response),
    customErrorMessage: (request, response) => summary(request, response),
    customSuccessObject: (request, response, { responseTime }) => fields(request, response, responseTime),
    customErrorObject: (request, response, _error, { responseTime }) =>
      fields(request, response, responseTime),
  });
  return (request: IncomingMessage, response: ServerResponse, next?: () => void) => {
    // Now, while the connection knows: a client that leaves in the middle is logged too.
    rememberAddress(request, callerAddress(request));
    logged(request, response, next);
  };
}

/** The API, the protocols, and the cards by which their clients find them. */
const AT_INFO = ['/api/', `/${PROTOCOLS_PREFIX}/`, '/.well-known/'];

function getLevel(path: string, status: number) {
  if (status >= 500 && !path.startsWith('/health/')) return 'error';
  return AT_INFO.some((start) => path.startsWith(start)) ? 'info' : 'debug';
}

function summary(request: IncomingMessage, response: ServerResponse): string {
  return `${request.method} ${getPath(request)} ${response.writableFinished ? response.statusCode : 'left by the client'}`;
}

function describe(request: IncomingMessage, response: ServerResponse, durationMs: number) {
  return {
    method: request.method,
    path: getPath(request),
    status: response.statusCode,
    durationMs,
    ...describeCaller(request),
    ...readIds(request, response),
  };
}

/** Describes the caller: its principal, if it is known, and its address according to `trust proxy`. */
function describeCaller(request: IncomingMessage): Record<string, unknown> {
  const principal = attachedAuthentication(request)?.principal;
  return {
    ...(principal && { userId: principal.userId, tenant: principal.tenant }),
    address: callerAddress(request),
  };
}

function readPrompt({ body }: IncomingMessage & { body?: unknown }): { prompt?: string } {
  const message = (body as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? { prompt: message } : {};
}

/** The run or thread that the path names or, when a run was started, that `Content-Location` does. */
function readIds(request: IncomingMessage, response: ServerResponse): { runId?: string; threadId?: string } {
  const location = String(response.getHeader('content-location') ?? getPath(request));
  const [, collection, id] = /\/(runs|threads)\/([\w.-]+)/.exec(location) ?? [];
  if (collection === undefined) return {};
  return collection === 'runs' ? { runId: id } : { threadId: id };
}

/** Express rewrites `url` below a mounted path; `originalUrl` stays. */
function getPath(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '/').replace(/[?#].*$/s, '');
}
