import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Injectable, SSE_ABORT_CONTROLLER, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Subscriber } from 'rxjs';
import type { Frame } from './frame.js';
import { rawResponse, type WebResponse } from './web.exchange.js';

const piped = new WeakMap<ServerResponse, Readable>();

/**
 * Notes which stream `@Sse` pipes into the response, for {@link takeFromNest}. A guard, because Nest pipes before it asks the
 * first interceptor.
 */
@Injectable()
export class NestStreamGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const response = rawResponse(context.switchToHttp().getResponse<WebResponse>());
    response.once('pipe', (source) => piped.set(response, source));
    return true;
  }
}

/**
 * Takes a response that has its first frame out of Nest's hands: Nest completes, and ends a stream of its own that leads nowhere
 * any more. All that it held for the request is free then.
 *
 * False where Nest has to go on: it alone knows how the answer to a HEAD ends, and when the client has left whose answer still
 * waits behind another one of its connection.
 */
export function takeFromNest(response: ServerResponse, nest: Subscriber<Frame>): boolean {
  const source = piped.get(response);
  piped.delete(response);
  if (!source || nest.closed || !response.socket || response.req.method === 'HEAD') return false;
  source.unpipe(response);
  nest.complete();
  // The abort that came with it has a stack, and the stack holds on to everything that took part.
  (response.req as { [SSE_ABORT_CONTROLLER]?: AbortController | undefined })[SSE_ABORT_CONTROLLER] =
    undefined;
  return true;
}
