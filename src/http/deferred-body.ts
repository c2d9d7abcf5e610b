import type { Principal } from '../principal.js';

/** Reads and parses the body of one request, on behalf of its caller. */
export type ReadBody = (principal: Principal) => Promise<void>;

// Symbol.for: the edge and the module may come from two copies of this package.
const READ_BODY = Symbol.for('nestjs-agent-stream:read-body');

type DeferredRequest = object & { [READ_BODY]?: ReadBody };

/** Leaves the body of a request unread until its caller is known: `BodyGuard` calls `read` then. */
export function deferBody(request: object, read: ReadBody): void {
  (request as DeferredRequest)[READ_BODY] = read;
}

/** Reads the body that was left unread, once. Does nothing where the framework's own parser has read it. */
export async function receiveBody(request: object, principal: Principal): Promise<void> {
  const deferred = request as DeferredRequest;
  const read = deferred[READ_BODY];
  if (!read) return;
  delete deferred[READ_BODY];
  await read(principal);
}
