import { json, type RequestHandler } from 'express';
import { AppError } from '../errors.js';
import { jsonDepth } from './json-depth.js';

const MAX_DEPTH = 32;
const METADATA_BYTES = 64 * 1024;

/**
 * Reads JSON bodies, and only those. What is malformed, too long or too deep goes to the exception filter.
 *
 * @param maxMessageBytes the longest message; a body may be three times as long, because JSON may write a character of two
 *   bytes as an escape of six, and 64 KiB more for what is not the message
 */
export function jsonBody(maxMessageBytes: number): RequestHandler {
  const tooDeep = new WeakSet<object>();
  const parse = json({
    limit: 3 * maxMessageBytes + METADATA_BYTES,
    verify: (request, _response, body) => {
      if (jsonDepth(body) <= MAX_DEPTH) return;
      tooDeep.add(request);
      throw new Error('too deep');
    },
  });
  // The parser turns what `verify` throws into a 403 that carries the body along; the caller deserves a reason instead.
  return (request, response, next) =>
    parse(request, response, (error?: unknown) => next(tooDeep.has(request) ? nestsTooDeeply() : error));
}

function nestsTooDeeply(): AppError {
  return new AppError('REQUEST_INVALID', `The JSON nests more than ${MAX_DEPTH} levels deep. Flatten it.`);
}
