import type { IncomingMessage, ServerResponse } from 'node:http';
import { pinoHttp } from 'pino-http';
import type { Log } from './log.js';

/**
 * One line per request when its answer has ended, which for a stream is when the stream has. Of the request it holds the
 * method and the path: query strings may carry tickets and cursors, headers carry credentials, bodies carry prompts.
 *
 * @param options `prompts`: adds what people asked, as `prompt`. Default false
 */
export function requestLog(log: Log, { prompts = false }: { readonly prompts?: boolean } = {}) {
  const fields = (request: IncomingMessage, response: ServerResponse, durationMs: number) => ({
    ...describe(request, response, durationMs),
    ...(prompts && promptOf(request)),
  });
  return pinoHttp({
    logger: log,
    quietReqLogger: true,
    quietResLogger: true,
    customLogLevel: (request, response) => levelOf(pathOf(request), response.statusCode),
    customSuccessMessage: (request, response) => summary(request, response),
    customErrorMessage: (request, response) => summary(request, response),
    customSuccessObject: (request, response, { responseTime }) => fields(request, response, responseTime),
    customErrorObject: (request, response, _error, { responseTime }) =>
      fields(request, response, responseTime),
  });
}

function levelOf(path: string, status: number) {
  if (status >= 500 && !path.startsWith('/health/')) return 'error';
  return path.startsWith('/api/') ? 'info' : 'debug';
}

function summary(request: IncomingMessage, response: ServerResponse): string {
  return `${request.method} ${pathOf(request)} ${response.writableFinished ? response.statusCode : 'left by the client'}`;
}

function describe(request: IncomingMessage, response: ServerResponse, durationMs: number) {
  return {
    method: request.method,
    path: pathOf(request),
    status: response.statusCode,
    durationMs,
    ...idsOf(request, response),
  };
}

function promptOf({ body }: IncomingMessage & { body?: unknown }): { prompt?: string } {
  const message = (body as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? { prompt: message } : {};
}

/** The run or thread that the path names or, when a run was started, that `Content-Location` does. */
function idsOf(request: IncomingMessage, response: ServerResponse): { runId?: string; threadId?: string } {
  const location = String(response.getHeader('content-location') ?? pathOf(request));
  const [, collection, id] = /\/(runs|threads)\/([\w.-]+)/.exec(location) ?? [];
  if (collection === undefined) return {};
  return collection === 'runs' ? { runId: id } : { threadId: id };
}

/** Express rewrites `url` below a mounted path; `originalUrl` stays. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '/').replace(/[?#].*$/s, '');
}
