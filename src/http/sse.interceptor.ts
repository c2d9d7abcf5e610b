import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Frame } from './frame.js';
import { SseStreams } from './sse.streams.js';
import { rawResponse, type WebResponse } from './web.exchange.js';

/**
 * Under `@Sse`, the last metre to the browser. Nest gets the first frame, and with it does what it does well: the headers,
 * the status, the errors before the stream. Then, where {@link NestStreamGuard} came before, the response is ours alone. The
 * frames after the first are written by {@link OpenStream}, all of a turn at once; Nest would write each on its own.
 *
 * It has to be the outermost interceptor of its route: those around it see the first frame, and then the end. The Observable
 * under it never errors after its first frame (Nest's error frame would overwrite the browser's cursor): a failing source ends
 * the stream, and the reader comes back for the rest.
 */
@Injectable()
export class SseInterceptor implements NestInterceptor {
  constructor(private readonly streams: SseStreams) {}

  intercept(context: ExecutionContext, next: CallHandler<Frame>): Observable<Frame> {
    const response = rawResponse(context.switchToHttp().getResponse<WebResponse>());
    return new Observable((nest) => this.streams.open(response, nest).follow(next.handle()));
  }
}
