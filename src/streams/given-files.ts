import { AppError } from '../errors.js';
import type { Placed } from '../events/message-order.js';
import type { MessageFile } from '../runs/start-request.js';

/** A file as the request of a protocol has it: at a URL, which may contain the bytes, or as base64. */
export interface GivenFile extends Placed {
  /** `http:`, `https:` or `data:`; or the URL by which this server names a file. */
  readonly url?: string | undefined;
  /** The id of a file that this server stores. */
  readonly fileId?: string | undefined;
  /** Base64. */
  readonly data?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly name?: string | undefined;
}

const DATA_URL = /^data:([^,;]*)(?:;[^,;]*)*?(;base64)?,/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Returns the file of a message that a protocol's request has.
 *
 * @param base URL of the route that serves files, or its path: a URL below it names a file that this server stores
 * @throws AppError REQUEST_INVALID
 */
export function toMessageFile(given: GivenFile, base: string): MessageFile {
  const { url, fileId, data, name, mediaType, at } = given;
  const place = { ...(at && { at }) };
  const facts = { ...(name && { name }), ...(mediaType && { mediaType }), ...place };
  if (fileId !== undefined) return { fileId, ...place };
  if (data !== undefined)
    return isDataUrl(data) ? readDataUrl(data, facts) : { data: decode(data), ...facts };
  if (url === undefined) throw createInvalidError();
  if (isDataUrl(url)) return readDataUrl(url, facts);
  const stored = readStoredId(url, base);
  if (stored !== undefined) return { fileId: stored, ...place };
  if (!/^https?:\/\//i.test(url)) throw createInvalidError();
  return { url, ...facts };
}

function isDataUrl(text: string): boolean {
  return /^data:/i.test(text);
}

function readDataUrl(
  url: string,
  facts: { readonly name?: string; readonly mediaType?: string } & Placed,
): MessageFile {
  const [head = '', declared = '', isBase64] = DATA_URL.exec(url) ?? [];
  if (head === '') throw createInvalidError();
  const encoded = url.slice(head.length);
  const mediaType = facts.mediaType ?? declared;
  const data = isBase64 === undefined ? decodeText(encoded) : decode(encoded);
  return { data, ...facts, ...(mediaType !== '' && { mediaType }) };
}

/** Returns the id in a URL of our own route, on whatever host the client has found it. */
function readStoredId(url: string, base: string): string | undefined {
  const anywhere = 'http://localhost';
  if (!URL.canParse(url, anywhere)) return undefined;
  const { pathname } = new URL(url, anywhere);
  const folder = `${new URL(base, anywhere).pathname.replace(/\/$/, '')}/`;
  if (!pathname.startsWith(folder)) return undefined;
  // One on another host is a file of that host, unless this server names its files by such a URL.
  const isPath = url.startsWith('/') && !url.startsWith('//');
  const isOwn = isPath || new URL(url, anywhere).origin === new URL(base, anywhere).origin;
  return isOwn ? pathname.slice(folder.length) : undefined;
}

function decode(text: string): Uint8Array {
  if (!BASE64.test(text)) throw createInvalidError();
  return Buffer.from(text, 'base64');
}

function decodeText(text: string): Uint8Array {
  try {
    return Buffer.from(decodeURIComponent(text));
  } catch {
    throw createInvalidError();
  }
}

function createInvalidError(): AppError {
  return new AppError(
    'REQUEST_INVALID',
    'A file needs its bytes in base64, a data: URL, an http or https URL, or the URL of an upload.',
  );
}
