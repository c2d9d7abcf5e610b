import type { Principal } from '../principal.js';

/** Does what a request wants with the bytes of its body. */
export type UseBytes<Result> = (bytes: Uint8Array) => Promise<Result>;

/** Reads the body of one request, on behalf of its caller. Only the first of its methods that is called reads it. */
export interface DeferredBody {
  /** Reads and parses it, if it is JSON. */
  parse(principal: Principal): Promise<void>;
  /** Reads it as it is, whatever it is, and counts it as held until `use` is done with it. */
  readBytes<Result>(principal: Principal, limit: number, use: UseBytes<Result>): Promise<Result>;
}

// Symbol.for: the edge and the module may come from two copies of this package.
const DEFERRED_BODY = Symbol.for('nestjs-agent-stream:deferred-body');

type DeferredRequest = object & { [DEFERRED_BODY]?: DeferredBody };

/** Leaves the body of a request unread until its caller is known: `BodyGuard`, or a handler that wants bytes, reads it then. */
export function deferBody(request: object, body: DeferredBody): void {
  (request as DeferredRequest)[DEFERRED_BODY] = body;
}

/** Returns the body that was left unread, once. Undefined if it was not left unread: the framework's own parser has read it, or there is none. */
export function takeDeferredBody(request: object): DeferredBody | undefined {
  const deferred = request as DeferredRequest;
  const body = deferred[DEFERRED_BODY];
  delete deferred[DEFERRED_BODY];
  return body;
}
