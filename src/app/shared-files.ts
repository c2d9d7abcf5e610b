import { readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { extname, join } from 'node:path';
import type { RequestHandler, Response } from 'express';

/** Maximum time for a client to go on reading a file that it has asked for, in milliseconds. */
const STALLED_MS = 30_000;

interface SharedFile {
  readonly changedAt: number;
  readonly content: Buffer;
  readonly etag: string;
}

/** Files that are in memory once, however many clients are reading them at whatever pace. One that changes is read again. */
const files = new Map<string, SharedFile>();

/**
 * Serves the files of a directory: no listing, no hidden ones, nothing above. Always revalidated, so that an update is seen at
 * once. What is not there is left to the next handler.
 */
export function sharedFiles(
  directory: string,
  isServed: (name: string) => boolean = () => true,
): RequestHandler {
  return async (request, response, next) => {
    const [, name] = /^\/((?:[\w-][\w.-]*\/)*[\w-][\w.-]*)$/.exec(request.path) ?? [];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || name === undefined || !isServed(name)) return next();
    if (!(await sendShared(join(directory, name), response))) next();
  };
}

/** Answers with a file. @returns false when there is none */
export async function sendShared(path: string, response: Response): Promise<boolean> {
  const file = await load(path);
  if (!file) return false;
  response.req.socket.setTimeout(STALLED_MS);
  response.type(extname(path)).setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', file.etag);
  response.send(file.content);
  return true;
}

async function load(path: string): Promise<SharedFile | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) return undefined;
  const known = files.get(path);
  if (known?.changedAt === facts.mtimeMs) return known;
  const content = await readFile(path);
  const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  const file = { changedAt: facts.mtimeMs, content, etag };
  files.set(path, file);
  return file;
}
