import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Injectable, SSE_ABORT_CONTROLLER, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { rawResponse, type WebResponse } from './http.types.js';

/** The stream that Nest pipes into the response of an `@Sse` route: the parts of its `SseStream` that matter here. */
type NestStream = Readable & {
  readonly writableLength: number;
  /** Writes status 200 and the headers. Absent if a version of Nest has renamed it: then Nest keeps its own time. */
  commitHeaders?: () => void;
};

const piped = new WeakMap<ServerResponse, NestStream>();

/**
 * Lets a handler under `@Sse` refuse with a real status, however long it takes to find out.
 *
 * Under interceptors, Nest writes 200 and the headers one turn of the event loop after it has called the handler, whether or
 * not the handler has returned; a handler that fails later can only send an error frame. This guard holds these headers back
 * until there is a frame. It refuses nothing: Nest pipes before it asks the first interceptor, so that only a guard can hear
 * which stream that is. See docs/decisions/0011-handlers-decide-guards-refuse.md.
 */
@Injectable()
export class NestStreamGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const response = rawResponse(context.switchToHttp().getResponse<WebResponse>());
    response.once('pipe', (source) => hold(response, source as NestStream));
    return true;
  }
}

function hold(response: ServerResponse, stream: NestStream): void {
  piped.set(response, stream);
  const commit = stream.commitHeaders?.bind(stream);
  if (!commit) return;
  // A frame that gets here does so by a host's interceptor, which has put it in the place of an error or of ours.
  stream.commitHeaders = () => {
    if (stream.writableLength > 0) commit();
  };
}

/**
 * Takes a response out of Nest's hands. What Nest writes from now on leads nowhere; `complete` tells it that its part is done,
 * and all that it held for the request is free then.
 */
export function takeFromNest(response: ServerResponse, complete: () => void): void {
  const stream = piped.get(response);
  if (stream) {
    piped.delete(response);
    stream.unpipe(response);
    stream.commitHeaders = () => undefined;
  }
  complete();
  // The abort that came with it has a stack, and the stack holds on to everything that took part.
  (response.req as { [SSE_ABORT_CONTROLLER]?: AbortController | undefined })[SSE_ABORT_CONTROLLER] =
    undefined;
}
