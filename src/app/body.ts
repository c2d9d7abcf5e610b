import { json, type RequestHandler } from 'express';
import { AppError } from '../errors.js';
import { jsonDepth } from './json-depth.js';

const MAX_DEPTH = 32;
const METADATA_BYTES = 64 * 1024;

/**
 * What a request may take that has a message and little else: three times the longest message, because JSON may write a
 * character of two bytes as an escape of six, and 64 KiB more.
 */
export function bodyBytesFor(maxMessageBytes: number): number {
  return 3 * maxMessageBytes + METADATA_BYTES;
}

/**
 * Reads JSON bodies, and only those that no other has read. What is malformed, too long or too deep goes to the exception filter.
 *
 * @param limit the longest body, in bytes
 */
export function jsonBody(limit: number): RequestHandler {
  const tooDeep = new WeakSet<object>();
  const parse = json({
    limit,
    verify: (request, _response, body) => {
      if (jsonDepth(body) <= MAX_DEPTH) return;
      tooDeep.add(request);
      throw new Error('too deep');
    },
  });
  // The parser turns what `verify` throws into a 403 that carries the body along; the caller deserves a reason instead.
  return (request, response, next) =>
    parse(request, response, (error?: unknown) => {
      if (tooDeep.has(request)) next(nestsTooDeeply());
      else next(isTooLarge(error) ? tooLarge(limit, error) : error);
    });
}

function isTooLarge(error: unknown): boolean {
  return (error as { readonly type?: string } | undefined)?.type === 'entity.too.large';
}

function tooLarge(limit: number, cause: unknown): AppError {
  const message = `The request body is larger than ${limit.toLocaleString('en')} bytes. Send less.`;
  return new AppError('REQUEST_TOO_LARGE', message, { cause });
}

function nestsTooDeeply(): AppError {
  return new AppError('REQUEST_INVALID', `The JSON nests more than ${MAX_DEPTH} levels deep. Flatten it.`);
}
