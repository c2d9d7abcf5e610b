import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { FileFacts, FileOmission, KeepFile, NewFile } from '../events/message-part.js';
import type { BlobStore } from './blob.store.js';
import { detectMediaType, readMediaType } from './media-types.js';
import type { Run } from './run.js';

export interface FileLimits {
  /** Maximum bytes of one file. */
  readonly maxFileBytes: number;
  /** Maximum bytes of all files of one owner. */
  readonly maxOwnerBytes: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_FILE_LIMITS: FileLimits = { maxFileBytes: 10 * MIB, maxOwnerBytes: 1024 * MIB };

/** Maximum length of the address of a file or a source in a log. */
const LONGEST_ADDRESS = 4_096;
const LONGEST_NAME = 255;

const logger = new Logger('RunFiles');

/** Rules for the files of messages. */
export interface UploadRules {
  /** Media types, and ranges of them such as `image/*`, that people may send. */
  readonly types: readonly string[];
  /** Time after which an upload is removed that no message names, in milliseconds. Default an hour. */
  readonly keepUploadsMs: number;
  /** True if a message may name a file by its URL: the model's provider fetches it. The server never does. Default false. */
  readonly allowUrls: boolean;
}

export const DEFAULT_UPLOAD_RULES: UploadRules = {
  types: [
    'image/png',
    'image/jpeg',
    'image/gif',
    'image/webp',
    'application/pdf',
    'audio/wav',
    'audio/mpeg',
    'text/*',
    'application/json',
    'application/xml',
    'application/yaml',
    'application/x-ndjson',
  ],
  keepUploadsMs: 60 * 60_000,
  allowUrls: false,
};

/**
 * Returns a function that stores the files of a run: an address stays an address, and bytes become a blob of the thread. The id comes from the
 * content and the run. A file that the run makes again, as after a takeover, is stored once, and each file is deleted with the run that made it.
 */
export function createFileKeeper(
  { id: runId, principal, threadKey }: Pick<Run, 'id' | 'principal' | 'threadKey'>,
  blobs: BlobStore,
  { maxFileBytes, maxOwnerBytes }: FileLimits,
): KeepFile {
  const kept = new Set<string>();
  const { tenant, userId } = principal;

  const store = async (data: Uint8Array, { mediaType: declared, name }: Named): Promise<FileFacts> => {
    const mediaType = detectMediaType(data, declared);
    const facts = { mediaType, ...toName(name), bytes: data.byteLength };
    if (data.byteLength > maxFileBytes) return { ...facts, omitted: 'too-large' };
    const fileId = toFileId(runId, mediaType, data);
    if (!kept.has(fileId)) {
      const blob = { owner: { tenant, userId }, threadKey, id: fileId, mediaType, ...toName(name), data };
      const outcome = await blobs.put(blob, maxOwnerBytes);
      if (outcome !== 'stored') return { ...facts, omitted: outcome === 'full' ? 'no-room' : 'unreadable' };
      kept.add(fileId);
    }
    return { ...facts, fileId };
  };

  return async (file) => {
    try {
      const data = readBytes(file, maxFileBytes);
      if (data === 'too-large') return omit(file, data);
      if (data) return await store(data, file);
      const url = readAddress(file.url);
      if (url === undefined) return omit(file, file.url === undefined ? 'unreadable' : 'unreachable');
      return { mediaType: readMediaType(file.mediaType), ...toName(file.name), url };
    } catch (error) {
      logger.warn({ err: error }, 'A file of a run could not be stored.');
      return omit(file, 'unreadable');
    }
  };
}

type Named = Pick<NewFile, 'mediaType' | 'name'>;

/** Returns the address if a log may have it: http or https, and not too long. Otherwise undefined. */
export function readAddress(url: string | undefined): string | undefined {
  if (url === undefined || url.length > LONGEST_ADDRESS || !URL.canParse(url)) return undefined;
  return /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}

function omit({ mediaType, name }: Named, omitted: FileOmission): FileFacts {
  return { mediaType: readMediaType(mediaType), ...toName(name), omitted };
}

/** Returns a name that a log may have; nothing for an empty one. */
export function toName(name: string | undefined): { readonly name?: string } {
  return name === undefined || name === '' ? {} : { name: name.slice(0, LONGEST_NAME).toWellFormed() };
}

/** Returns the bytes of a file; undefined if it has only an address. Does not decode base64 that is far too long. */
export function readBytes(file: NewFile, maxBytes: number): Uint8Array | 'too-large' | undefined {
  const { data, url } = isDataUrl(file.data) ? { data: undefined, url: file.data } : file;
  if (data instanceof Uint8Array) return data;
  const embedded = url === undefined ? undefined : /^data:[^,]*?(;base64)?,/i.exec(url);
  if (data === undefined && !embedded) return undefined;
  const encoded = data ?? url!.slice(embedded![0].length);
  if (encoded.length > 2 * maxBytes) return 'too-large';
  if (data === undefined && embedded![1] === undefined) return Buffer.from(decodeURIComponent(encoded));
  return Buffer.from(encoded, 'base64');
}

/** True for a `data:` URL. Some APIs send one where others have base64. */
function isDataUrl(data: NewFile['data']): data is string {
  return typeof data === 'string' && data.startsWith('data:');
}

function toFileId(runId: string, mediaType: string, data: Uint8Array): string {
  return createHash('sha256')
    .update(`${runId}\n${mediaType}\n`)
    .update(data)
    .digest('base64url')
    .slice(0, 32);
}
