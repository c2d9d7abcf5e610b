import { setImmediate } from 'node:timers/promises';
import { AppError } from '../errors.js';
import { jsonShape } from './json-shape.js';

const MAX_DEPTH = 32;

/** A text of 4 MiB may hold a million empty objects, which take half a second to parse. Conversations are far from that. */
const MAX_VALUES = 100_000;

/** Up to here parsing takes microseconds, and needs no turn. */
const SMALL_BYTES = 64 * 1024;

let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Parses an object or array. Of large texts only one is parsed in a turn of the event loop, so that streams and small requests
 * go on between two.
 *
 * @throws AppError `REQUEST_INVALID` when it is malformed, nests too deeply or holds too many values
 */
export async function parseJson(bytes: Buffer): Promise<unknown> {
  if (bytes.length > SMALL_BYTES) await (lastTurn = lastTurn.then(() => setImmediate()));
  const { depth, values } = jsonShape(bytes);
  if (depth > MAX_DEPTH) throw invalid(`The JSON nests more than ${MAX_DEPTH} levels deep. Flatten it.`);
  if (values > MAX_VALUES)
    throw invalid(`The JSON holds more than ${MAX_VALUES.toLocaleString('en')} values. Send fewer.`);
  try {
    const value: unknown = JSON.parse(withoutMark(bytes.toString()));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw invalid('The request body cannot be read as JSON.', error);
  }
  throw invalid('The request body must be a JSON object or array.');
}

/** Some editors begin a file with a byte order mark. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError('REQUEST_INVALID', message, { cause });
}
