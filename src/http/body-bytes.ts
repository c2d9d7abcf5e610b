import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { addressBlock, callerAddress } from '../security/caller-address.js';
import { BodyBudget, bodyLimitsWithin } from './body-budget.js';
import { readBytes } from './body-reader.js';
import { takeDeferredBody, type UseBytes } from './deferred-body.js';
import type { WebRequest } from './http.types.js';

/** Bytes of bodies that a process holds at a time, in a host that has no budget of its own. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

/** Reads bodies that are no JSON, in the standalone app and in any host. */
@Injectable()
export class BodyBytes {
  private readonly budget = new BodyBudget(bodyLimitsWithin(IN_FLIGHT_BYTES));

  /**
   * Gives the body to `use` as it was sent, and counts it as held until `use` is done with it. Returns what that returns.
   *
   * @throws AppError REQUEST_TOO_LARGE, at once when the request says so itself; RATE_LIMITED or SERVER_BUSY when too much is under way;
   *   ENCODING_UNSUPPORTED for a compressed body; REQUEST_INVALID when the host's own parser has read it, or the client leaves
   */
  async read<Result>(
    request: WebRequest,
    principal: Principal,
    limit: number,
    use: UseBytes<Result>,
  ): Promise<Result> {
    const deferred = takeDeferredBody(request);
    if (deferred) return deferred.readBytes(principal, limit, use);
    if (request.body instanceof Uint8Array) {
      if (request.body.byteLength <= limit) return use(request.body);
      throw new AppError(
        'REQUEST_TOO_LARGE',
        `The request body is larger than ${limit.toLocaleString('en')} bytes. Send less.`,
      );
    }
    const raw = toRawRequest(request);
    if (raw.headers['content-encoding'] !== undefined)
      throw new AppError(
        'ENCODING_UNSUPPORTED',
        'Compressed bodies are not accepted. Send the body as it is, without Content-Encoding.',
      );
    if (raw.readableEnded)
      throw new AppError(
        'REQUEST_INVALID',
        'Send the file as the body, with Content-Type: application/octet-stream.',
      );
    const share = this.budget.open(addressBlock(callerAddress(request) ?? 'unknown'), principal);
    try {
      return await use(await readBytes(raw, { limit, share, begin: () => {} }));
    } finally {
      share.release();
    }
  }
}

/** Fastify wraps node's request; that of Express is one. */
function toRawRequest(request: object): IncomingMessage {
  return 'raw' in request ? (request.raw as IncomingMessage) : (request as IncomingMessage);
}
