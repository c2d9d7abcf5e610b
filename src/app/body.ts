import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { Authenticator } from '../auth/authenticator.js';
import { toChallenge } from '../auth/challenge.js';
import { AppError } from '../errors.js';
import { deferBody } from '../http/deferred-body.js';
import type { Principal } from '../principal.js';
import { addressBlock, callerAddress } from '../security/caller-address.js';
import type { BodyBudget } from '../http/body-budget.js';
import { readBytes } from '../http/body-reader.js';
import { parseJson } from './json-body.js';
import { closeUnlessRead, hasBody, keepOpen } from './unread-body.js';

/** An access token or API key of at most 16 KiB, and the JSON around it. */
const SIGN_IN_BYTES = 24 * 1024;

/** Requests whose client waits for `100 Continue` before it sends the body. */
const waiting = new WeakSet<IncomingMessage>();

/** For a server's `checkContinue`: the client is told to go on when the body is wanted, and not before. */
export function holdContinue(request: IncomingMessage): void {
  waiting.add(request);
}

/**
 * Leaves JSON bodies unread until `BodyGuard` asks for them, which is when the caller is known. A request that is answered
 * before, by whatever comes next, is the last of its connection. Of several limits the first counts.
 *
 * @param limit the longest body, in bytes
 */
export function deferJsonBodies(budget: BodyBudget, limit: number): RequestHandler {
  return (request, response, next) => {
    if (hasBody(request) && closeUnlessRead(request, response))
      deferBody(request, {
        parse: (principal) => receive(request, response, { budget, limit, principal }),
        readBytes: (principal, longest, use) =>
          readWithin(request, response, { budget, limit: longest, principal }, use),
      });
    next();
  };
}

/**
 * Reads the bodies of sign-ins and what is below them, whose routes have no `BodyGuard`. That of a sign-in itself is the one thing
 * that comes from a caller who cannot be known before.
 */
export function sessionBodies(budget: BodyBudget, authenticator: Authenticator): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== 'POST' || !hasBody(request)) return next();
    const isSignIn = request.path === '/';
    const authentication = isSignIn
      ? undefined
      : await authenticator.authenticate(request, { required: true });
    if (!isSignIn && !authentication) {
      response.setHeader('WWW-Authenticate', toChallenge(request));
      throw new AppError('UNAUTHENTICATED', 'Sign in, or send a valid bearer token or API key.');
    }
    const principal = authentication?.principal;
    await receive(request, response, { budget, limit: SIGN_IN_BYTES, ...(principal && { principal }) });
    next();
  };
}

interface Terms {
  readonly budget: BodyBudget;
  readonly limit: number;
  /** Absent: not known yet. */
  readonly principal?: Principal;
}

/** Puts the parsed body where handlers look for it. What is no JSON stays unread, and the handler sees no body. */
async function receive(request: Request, response: ServerResponse, terms: Terms): Promise<void> {
  if (!request.is('json')) return;
  assertUtf8(request);
  request.body = await readWithin(request, response, terms, parseJson);
}

/** Reads the body, and counts it as held until `use` is done with it. */
async function readWithin<Result>(
  request: Request,
  response: ServerResponse,
  { budget, limit, principal }: Terms,
  use: (bytes: Buffer) => Result | Promise<Result>,
): Promise<Result> {
  assertPlain(request);
  const share = budget.open(addressBlock(callerAddress(request) ?? 'unknown'), principal);
  try {
    const begin = (): void => {
      if (waiting.delete(request)) response.writeContinue();
    };
    const bytes = await readBytes(request, { limit, share, begin });
    keepOpen(request);
    return await use(bytes);
  } finally {
    share.release();
  }
}

/** Nothing is unpacked: a few kilobytes can hold gigabytes. */
function assertPlain({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity')
    throw new AppError(
      'ENCODING_UNSUPPORTED',
      'Compressed bodies are not accepted. Send the body as it is, without Content-Encoding.',
    );
}

function assertUtf8({ headers }: IncomingMessage): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new AppError(
      'ENCODING_UNSUPPORTED',
      'The body must be in UTF-8. Leave the charset out, or send utf-8.',
    );
}
