import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Frame } from './frame.js';
import { SseStreams } from './sse.streams.js';
import { rawResponse, type WebResponse } from './web.exchange.js';

/**
 * Under `@Sse`, the last metre to the browser. Nest gets the first frame, and with it does what it does well: the headers,
 * the status, the errors before the stream, the notice when the client leaves. The frames after it are written here, all of a
 * turn at once; Nest would write each on its own.
 *
 * It has to be the outermost interceptor of its route: those around it see the first frame only. The Observable under it
 * never errors after its first frame (Nest's error frame would overwrite the browser's cursor): a failing source ends the
 * stream, and the reader comes back for the rest.
 */
@Injectable()
export class SseInterceptor implements NestInterceptor {
  private readonly logger = new Logger(SseInterceptor.name);

  constructor(private readonly streams: SseStreams) {}

  intercept(context: ExecutionContext, next: CallHandler<Frame>): Observable<Frame> {
    const response = rawResponse(context.switchToHttp().getResponse<WebResponse>());
    return new Observable((subscriber) => {
      let started = false;
      const end = () => {
        writer.flush();
        subscriber.complete();
      };
      const writer = this.streams.open(response, end);
      subscriber.add(
        next.handle().subscribe({
          next: (frame) => {
            if (started) return writer.write(frame.text);
            started = true;
            subscriber.next(frame);
          },
          error: (error: unknown) => {
            if (!started) return subscriber.error(error);
            this.logger.error({ err: error }, 'A stream ended early; its reader will come back.');
            setImmediate(end);
          },
          // Not before the next turn: Nest is still writing the first frame in this one.
          complete: () => setImmediate(end),
        }),
      );
    });
  }
}
