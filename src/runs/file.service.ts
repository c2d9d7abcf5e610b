import { Injectable } from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import { AppError } from '../errors.js';
import { isInRanges } from '../events/media-range.js';
import type { FileFacts, NewFile, PlacedFile } from '../events/message-part.js';
import type { Principal } from '../principal.js';
import { BlobStore, type BlobFacts, type StoredBlob } from './blob.store.js';
import { detectMediaType, guessMediaType, readMediaType } from './media-types.js';
import {
  DEFAULT_FILE_LIMITS,
  DEFAULT_UPLOAD_RULES,
  readAddress,
  readBytes,
  toName,
  type FileLimits,
  type UploadRules,
} from './run-files.js';
import { newId } from './run-ids.js';
import type { MessageFile } from './start-request.js';

/** Maximum number of files of a message. */
export const MAX_FILES = 20;

/** Maximum bytes of all files of a message. Providers refuse requests that are much larger. */
export const MAX_MESSAGE_FILE_BYTES = 24 * 1024 * 1024;

/** Maximum number of uploads of an owner that no message names. */
const MAX_UPLOADS = 200;

export type FileRules = FileLimits & UploadRules;

const DEFAULT_RULES: FileRules = { ...DEFAULT_FILE_LIMITS, ...DEFAULT_UPLOAD_RULES };

/** A file as a person sends it. */
export interface SentFile {
  readonly data: Uint8Array;
  /** Declared media type. Counts only for text, whose bytes do not tell it. */
  readonly mediaType?: string | undefined;
  readonly name?: string | undefined;
}

/** An upload, as it is stored. */
export type UploadedFile = FileFacts & { readonly fileId: string; readonly bytes: number };

/** The files of a message that may be asked. */
export interface PreparedFiles {
  readonly files: readonly PlacedFile[];
  /** Removes what was stored for this message, if no run has taken it. Never rejects: what is left expires. */
  discard(): Promise<void>;
}

/** The files of a principal's conversations. Files of other owners are NOT_FOUND. */
@Injectable()
export class FileService {
  constructor(
    private readonly blobs: BlobStore,
    private readonly rules: FileRules = DEFAULT_RULES,
  ) {}

  /** The largest file that is taken, in bytes. */
  get maxFileBytes(): number {
    return this.rules.maxFileBytes;
  }

  /** Maximum bytes of all files of an owner. */
  get maxOwnerBytes(): number {
    return this.rules.maxOwnerBytes;
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, fileId: string): Promise<StoredBlob> {
    const blob = FILE_ID.test(fileId) ? await this.blobs.get(principal, fileId) : undefined;
    if (!blob) throw createMissingError(fileId);
    return blob;
  }

  /** @throws AppError NOT_FOUND */
  async describe(principal: Principal, fileId: string): Promise<BlobFacts> {
    const [found] = FILE_ID.test(fileId) ? await this.blobs.describe(principal, [fileId]) : [];
    if (!found) throw createMissingError(fileId);
    return found;
  }

  /**
   * Stores a file for a message to come. It is removed after a while if no message names it.
   *
   * @throws AppError REQUEST_INVALID for an empty file; REQUEST_TOO_LARGE; FILE_REFUSED for a type that is not allowed; FILES_FULL
   */
  async upload({ tenant, userId }: Principal, file: SentFile): Promise<UploadedFile> {
    const mediaType = this.checkFile(file);
    const { maxOwnerBytes, keepUploadsMs: keepMs } = this.rules;
    const { data } = file;
    const fileId = newId();
    const name = toName(file.name);
    const outcome = await this.blobs.upload(
      { owner: { tenant, userId }, id: fileId, mediaType, ...name, data, keepMs },
      { maxOwnerBytes, maxUploads: MAX_UPLOADS },
    );
    if (outcome === 'full')
      throw new AppError(
        'FILES_FULL',
        'There is no room left for your files. Delete conversations with files that you no longer need.',
      );
    return { mediaType, ...name, fileId, bytes: data.byteLength };
  }

  /**
   * Removes an upload that no message names. A file of a conversation is removed with the conversation.
   *
   * @throws AppError NOT_FOUND
   */
  async remove(principal: Principal, fileId: string): Promise<void> {
    await this.describe(principal, fileId);
    await this.blobs.deleteUploads(principal, [fileId]);
  }

  /**
   * Checks the files of a message and stores those that came with it.
   *
   * @throws AppError REQUEST_INVALID; REQUEST_TOO_LARGE; NOT_FOUND; FILE_REFUSED; FILE_NOT_ACCEPTED for a type that the agent does not take; FILES_FULL
   */
  async prepare(
    principal: Principal,
    files: readonly MessageFile[],
    agent: Pick<Agent, 'name' | 'accepts'>,
  ): Promise<PreparedFiles> {
    if (files.length > MAX_FILES)
      throw new AppError('REQUEST_INVALID', `A message may have at most ${MAX_FILES} files. Send fewer.`);
    const known = await this.describeStored(principal, files);
    const checked = files.map((file) => this.check(file, known));
    for (const { facts } of checked) checkAccepted(facts, agent);
    const bytes = checked.reduce((sum, { facts }) => sum + (facts.bytes ?? 0), 0);
    if (bytes > MAX_MESSAGE_FILE_BYTES)
      throw createTooLargeError('files of a message', MAX_MESSAGE_FILE_BYTES);
    const stored: string[] = [];
    const discard = async () => {
      if (stored.length > 0) await this.blobs.deleteUploads(principal, stored).catch(() => undefined);
    };
    try {
      const facts: PlacedFile[] = [];
      for (const { facts: each, file } of checked) {
        const uploaded = 'data' in file ? await this.upload(principal, file) : undefined;
        if (uploaded) stored.push(uploaded.fileId);
        const { at } = file;
        facts.push({ ...(uploaded ?? each), ...(at && { at }) });
      }
      return { files: facts, discard };
    } catch (error) {
      await discard();
      throw error;
    }
  }

  /**
   * Checks the files that a start brings in its own input, whose bytes are part of it. Nothing is stored.
   *
   * @throws AppError REQUEST_INVALID; REQUEST_TOO_LARGE; FILE_REFUSED; FILE_NOT_ACCEPTED
   */
  checkGiven(files: readonly NewFile[], agent: Pick<Agent, 'name' | 'accepts'>): void {
    for (const { name, ...file } of files)
      for (const mediaType of this.readMediaTypes(file)) checkAccepted({ mediaType, ...toName(name) }, agent);
  }

  /** Returns the types of what a block names: its bytes, and its address. Which of both a model is given is not known. */
  private readMediaTypes({ data, url, mediaType }: NewFile): string[] {
    const isEmbedded = url !== undefined && /^data:/i.test(url);
    const types: string[] = [];
    for (const each of [data, isEmbedded ? url : undefined]) {
      const bytes = each === undefined ? undefined : readGivenBytes(each, this.rules.maxFileBytes);
      if (bytes) types.push(this.checkFile({ data: bytes, mediaType }));
    }
    if (url === undefined || isEmbedded) return types;
    if (!this.rules.allowUrls)
      throw new AppError(
        'FILE_REFUSED',
        'Files by URL, or by the id of a provider, are not taken here. Send the file itself.',
      );
    return [...types, URL.canParse(url) ? guessMediaType(url, mediaType) : readMediaType(mediaType)];
  }

  private async describeStored(
    principal: Principal,
    files: readonly MessageFile[],
  ): Promise<ReadonlyMap<string, FileFacts>> {
    const ids = files.flatMap((file) => ('fileId' in file ? [file.fileId] : []));
    const wrong = ids.find((id) => !FILE_ID.test(id));
    if (wrong !== undefined) throw createMissingError(wrong);
    const found = ids.length > 0 ? await this.blobs.describe(principal, ids) : [];
    return new Map(found.map(({ id, ...facts }) => [id, { ...facts, fileId: id }]));
  }

  private check(
    file: MessageFile,
    known: ReadonlyMap<string, FileFacts>,
  ): { readonly facts: FileFacts; readonly file: MessageFile } {
    if ('fileId' in file) {
      const facts = known.get(file.fileId);
      if (!facts) throw createMissingError(file.fileId);
      return { facts, file };
    }
    const name = toName(file.name);
    if ('data' in file)
      return { facts: { mediaType: this.checkFile(file), ...name, bytes: file.data.byteLength }, file };
    if (!this.rules.allowUrls)
      throw new AppError('FILE_REFUSED', 'Files by URL are not taken here. Send the file itself.');
    const url = readAddress(file.url);
    if (url === undefined)
      throw new AppError('REQUEST_INVALID', 'The URL of a file must be http or https, and not too long.');
    return { facts: { mediaType: guessMediaType(url, file.mediaType), ...name, url }, file };
  }

  /** Returns the media type of a file that may be stored. */
  private checkFile({ data, mediaType: declared }: SentFile): string {
    const { maxFileBytes, types } = this.rules;
    if (data.byteLength === 0) throw new AppError('REQUEST_INVALID', 'The file is empty.');
    if (data.byteLength > maxFileBytes) throw createTooLargeError('file', maxFileBytes);
    const mediaType = detectMediaType(data, declared);
    if (isInRanges(types, mediaType)) return mediaType;
    throw new AppError(
      'FILE_REFUSED',
      `Files of the type ${mediaType} are not taken here. Taken: ${types.join(', ')}.`,
    );
  }
}

/** @throws AppError REQUEST_TOO_LARGE; REQUEST_INVALID for what is not encoded as it says */
function readGivenBytes(data: Uint8Array | string, maxBytes: number): Uint8Array | undefined {
  try {
    const isUrl = typeof data === 'string' && data.startsWith('data:');
    const bytes = readBytes(isUrl ? { url: data } : { data }, maxBytes);
    if (bytes !== 'too-large') return bytes;
  } catch (cause) {
    throw new AppError('REQUEST_INVALID', 'input: A file in it cannot be read.', { cause });
  }
  throw createTooLargeError('file', maxBytes);
}

const FILE_ID = /^[A-Za-z0-9_-]{1,64}$/;

function checkAccepted({ mediaType, name }: FileFacts, agent: Pick<Agent, 'name' | 'accepts'>): void {
  const { accepts = [] } = agent;
  if (isInRanges(accepts, mediaType)) return;
  const what = name === undefined ? `a file of the type ${mediaType}` : `'${name}' (${mediaType})`;
  const takes = accepts.length > 0 ? `It takes: ${accepts.join(', ')}.` : 'It takes no files.';
  throw new AppError('FILE_NOT_ACCEPTED', `The agent '${agent.name}' cannot read ${what}. ${takes}`);
}

function createMissingError(fileId: string): AppError {
  return new AppError('NOT_FOUND', `There is no file '${fileId}'.`);
}

function createTooLargeError(what: string, limit: number): AppError {
  return new AppError(
    'REQUEST_TOO_LARGE',
    `The ${what} may have at most ${limit.toLocaleString('en')} bytes. Send less.`,
  );
}
