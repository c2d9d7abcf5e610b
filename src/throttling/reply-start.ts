import type { ServerResponse } from 'node:http';

/** Time for which a client may leave a reply unread before it is cut, in milliseconds. */
const STALL_MS = 30_000;

/** Calls `begin` when the reply begins. Every way to answer comes through here, on every framework: the head is written, by name or by itself. */
export function onReplyStart(raw: ServerResponse, begin: () => void): void {
  const writeHead = raw.writeHead.bind(raw) as (...head: unknown[]) => ServerResponse;
  raw.writeHead = (...head: unknown[]) => {
    const written = writeHead(...head);
    begin();
    return written;
  };
}

/** Cuts the connection of a client that does not read its reply. Until then it has its place. */
export function cutIfStalled(raw: ServerResponse): void {
  raw.setTimeout(STALL_MS, () => raw.destroy());
}
