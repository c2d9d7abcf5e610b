import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';

/** Maximum time for a client to go on reading a file that it has asked for, in milliseconds. */
const STALLED_MS = 30_000;

/** The best first: browsers take Brotli over HTTPS and from this machine only. */
const ENCODINGS = ['br', 'gzip'] as const;
type Encoding = (typeof ENCODINGS)[number];

const COMPRESSED = /^\.(html|js|mjs|css|svg|json)$/;

/** Bytes below which compression saves nothing worth having. */
const SMALL_BYTES = 256;

// One level below the best, which takes three times as long for two per cent.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } };
const compress: Readonly<Record<Encoding, (content: Buffer) => Promise<Buffer>>> = {
  br: (content) => promisify(brotliCompress)(content, BROTLI),
  gzip: (content) => promisify(gzip)(content, { level: 9 }),
};

/** Makes browsers ask each time whether the file has changed, so that an update is seen at once. */
const REVALIDATED = 'no-cache';

/** A file in memory. It is compressed once for each encoding, when it is first asked for. */
export class SharedFile {
  readonly etag: string;
  private readonly encoded = new Map<Encoding, Promise<Buffer>>();

  /** @param extension with its dot */
  constructor(
    readonly content: Buffer,
    private readonly extension: string,
  ) {
    // Weak: it stands for the file in all its encodings.
    this.etag = `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  }

  async send(response: Response, cacheControl = REVALIDATED): Promise<void> {
    const { req: request } = response;
    request.socket.setTimeout(STALLED_MS);
    response.type(this.extension).setHeader('Cache-Control', cacheControl);
    response.setHeader('ETag', this.etag);
    const isCompressed = COMPRESSED.test(this.extension) && this.content.length >= SMALL_BYTES;
    if (isCompressed) response.vary('Accept-Encoding');
    const encoding = isCompressed ? ENCODINGS.find((name) => request.acceptsEncodings(name)) : undefined;
    if (encoding) response.setHeader('Content-Encoding', encoding);
    response.send(encoding ? await this.encode(encoding) : this.content);
  }

  private encode(encoding: Encoding): Promise<Buffer> {
    const known = this.encoded.get(encoding);
    if (known) return known;
    const encoded = compress[encoding](this.content);
    this.encoded.set(encoding, encoded);
    return encoded;
  }
}

/** Files that are in memory once, however many clients are reading them at whatever pace. One that changes is read again. */
const files = new Map<string, { readonly changedAt: number; readonly file: SharedFile }>();

/**
 * Serves the files of a directory: no listing, no hidden ones, nothing above. What is not there is left to the next handler.
 */
export function sharedFiles(
  directory: string,
  isServed: (name: string) => boolean = () => true,
): RequestHandler {
  return async (request, response, next) => {
    const name = readName(request);
    const file = name !== undefined && isServed(name) && (await loadShared(join(directory, name)));
    if (!file) return next();
    await file.send(response);
  };
}

/** Returns the path of the file that a request asks to read. Undefined: it can be no file that is served. */
export function readName({ method, path }: Request): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  return /^\/((?:[\w-][\w.-]*\/)*[\w-][\w.-]*)$/.exec(path)?.[1];
}

/** Returns a file. Undefined: there is none. */
export async function loadShared(path: string): Promise<SharedFile | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) return undefined;
  const known = files.get(path);
  if (known?.changedAt === facts.mtimeMs) return known.file;
  const file = new SharedFile(await readFile(path), extname(path));
  files.set(path, { changedAt: facts.mtimeMs, file });
  return file;
}
