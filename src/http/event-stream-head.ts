import type { OutgoingHttpHeaders } from 'node:http';
import { rawResponse, type WebResponse } from './http.types.js';

/** Headers that make proxies and browsers pass a stream on as it arrives. The same as Nest's `@Sse` writes. */
const HEADERS: OutgoingHttpHeaders = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  Pragma: 'no-cache',
  Expires: '0',
  'X-Accel-Buffering': 'no',
};

/**
 * Writes the head of an event stream, with the headers that guards and the host have set before.
 *
 * @param keepAlive false when the client is to use another connection for its next request
 */
export function writeEventStreamHead(response: WebResponse, keepAlive = true): void {
  const raw = rawResponse(response);
  if (raw.headersSent) return;
  // Fastify keeps the headers to itself until it replies, which it will not: from here on the response is ours.
  const theirs = 'raw' in response ? withoutOurs(response.getHeaders()) : {};
  const isHttp1 = raw.req.httpVersionMajor < 2;
  // HTTP/2 has no such header, and its sockets are shared with other streams.
  const connection = isHttp1 && { Connection: keepAlive ? 'keep-alive' : 'close' };
  raw.writeHead(200, { ...theirs, ...HEADERS, ...connection });
  if ('raw' in response) response.hijack();
  if (isHttp1) raw.req.socket.setKeepAlive(true).setNoDelay(true).setTimeout(0);
}

const OURS = new Set([...Object.keys(HEADERS), 'Connection'].map((name) => name.toLowerCase()));

/** Names that differ only in case would be sent twice. */
function withoutOurs(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.has(name.toLowerCase())));
}
