import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Time for a client to notice that its body is not wanted, in milliseconds. */
const LINGER_MS = 2_000;

const MAX_DISCARDED_BYTES = 16 * 1024;

const SHORT_BYTES = 4 * 1024;

/** Requests whose body has not been read, with what to do once it has. */
const unread = new WeakMap<IncomingMessage, () => void>();

/** True if a request has a body, however long. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Makes an answer that is given before the body was read the last one of its connection: what is still to come would have to be
 * read and thrown away to find the next request in it.
 *
 * @returns false when the request was taken care of before
 */
export function closeUnlessRead(request: IncomingMessage, response: ServerResponse): boolean {
  if (unread.has(request)) return false;
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  const restore = lingerBeforeClose(request.socket);
  // Nothing more is taken from the network than what came with the head. To read the request starts it again. A short body is here
  // already, as a rule, and what there could be of it is bounded by itself.
  if (!isShort(request)) request.socket.pause();
  unread.set(request, restore);
  // Only here, because node sends no `keep-alive` any more where a `Connection` was set and removed again.
  response.writeHead = (...head: unknown[]) => {
    if (unread.has(request)) {
      response.setHeader('Connection', 'close');
      discard(request);
    }
    return writeHead(...head);
  };
  return true;
}

/** Lets the connection serve further requests: the body has been read to its end. */
export function keepOpen(request: IncomingMessage): void {
  unread.get(request)?.();
  unread.delete(request);
}

function isShort({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length']) <= SHORT_BYTES;
}

/** Throws away what has come with the head and the rest of a short body, and then reads no more. */
function discard(request: IncomingMessage): void {
  let bytes = 0;
  if (request.readableLength > MAX_DISCARDED_BYTES) stopReading(request);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_DISCARDED_BYTES) stopReading(request);
  });
  request.resume();
}

/** Lets a request go on flowing, so that it keeps nothing of what has been read, but takes no more from the network. */
function stopReading(request: IncomingMessage): void {
  request._read = () => {};
  // Later, because a socket that was told to resume does so in the next tick, whatever it is told before.
  setImmediate(() => request.socket.pause());
}

/**
 * A socket that is closed with bytes unread is reset, and a reset can make the client lose the answer it has been sent. So, when
 * node would close it after the answer, only our side ends, and the client gets a moment to close its own.
 */
function lingerBeforeClose(socket: Socket): () => void {
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  };
  return () => void Reflect.deleteProperty(socket, 'destroySoon');
}
