import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Frame } from './frame.js';
import { takeFromNest } from './nest-stream.guard.js';
import { SseStreams } from './sse-streams.js';
import { rawResponse, type WebResponse } from './http.types.js';

/**
 * Writes what a handler under `@Sse` returns. Nest calls the handler and hands its errors to the exception filters, as long as
 * there is no frame; with the first one, where {@link NestStreamGuard} came before, the response is ours. The frames of a turn
 * are written at once, where Nest would write each on its own.
 *
 * Interceptors around it see an Observable that completes when the stream has begun: they can neither wrap its frames nor find
 * it late. It never errors after its first frame (Nest's error frame would overwrite the browser's cursor): a failing source
 * ends the stream, and the reader comes back for the rest.
 */
@Injectable()
export class SseInterceptor implements NestInterceptor {
  constructor(private readonly streams: SseStreams) {}

  intercept(context: ExecutionContext, next: CallHandler<Frame>): Observable<never> {
    const response = context.switchToHttp().getResponse<WebResponse>();
    return new Observable((nest) => {
      let begun = false;
      const stream = this.streams.open(response, {
        settled: () => {
          if (begun) return;
          begun = true;
          takeFromNest(rawResponse(response), () => nest.complete());
        },
        failed: (error) => nest.error(error),
      });
      // The client has left, or an interceptor around this one did not want to wait.
      nest.add(() => {
        if (begun) return;
        begun = true;
        stream.leave();
      });
      stream.follow(next.handle());
    });
  }
}
