import type { Observable } from 'rxjs';
import type { Frame } from './frame.js';
import type { SseStreams } from './sse-streams.js';
import { rawResponse, type WebResponse } from './http.types.js';

/** Time that a stream without a frame waits before its head is sent, in milliseconds. Its client waits for the head. */
const QUIET_MS = 250;

/**
 * Replies to a request with an event stream. The end of a handler that has asked for `@Res()`.
 *
 * The head goes out with the first frame, or {@link QUIET_MS} later if there is none: a log that cannot be read is a 503 then.
 * A HEAD has the head and no frames. After its head a stream never fails: what goes wrong then ends it.
 *
 * @param response as the framework gave it to the handler
 * @returns when the head is written, or the client has left before; the frames go on
 * @throws the error of the frames, before anything is written: the exception filters can reply to it
 */
export async function replyWithEventStream(
  streams: SseStreams,
  response: WebResponse,
  frames: Observable<Frame>,
): Promise<void> {
  const raw = rawResponse(response);
  // Its close has been heard already, by others.
  if (raw.closed) return;
  const head = Promise.withResolvers<void>();
  const stream = streams.open(response, { settled: head.resolve, failed: head.reject });
  const quiet = setTimeout(() => stream.open(), QUIET_MS);
  if (raw.req.method === 'HEAD') stream.open();
  else stream.follow(frames);
  try {
    await head.promise;
  } finally {
    clearTimeout(quiet);
  }
}
