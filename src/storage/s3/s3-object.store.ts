import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import { ObjectStore } from '../objects/object.store.js';
import { DEFAULT_PATIENCE_MS, type S3ObjectStoreOptions } from './s3-object-store.options.js';

/** Attempts of each call, within its patience. */
const MAX_ATTEMPTS = 3;

/** Time to connect, in milliseconds. */
const CONNECT_MS = 3_000;

/** Time in which something has to happen on a connection, in milliseconds. */
const SILENCE_MS = 10_000;

/** Name of an object that does not exist. */
const ABSENT = 'none';

/** Time for the check of the bucket, in milliseconds. A process does not start before it. */
const CHECK_MS = 2_500;

/** Errors of S3 by which a setting is wrong, and nothing that passes. */
const WRONG_CREDENTIALS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch']);

/** An object store with the API of S3: Amazon's, or another such as MinIO, Ceph, Cloudflare R2 or Google Cloud Storage. */
export class S3ObjectStore extends ObjectStore {
  readonly location: string;
  private readonly logger = new Logger(S3ObjectStore.name);
  private readonly client: S3Client;
  private readonly patienceMs: number;
  private readonly prefix: string;

  constructor(private readonly options: S3ObjectStoreOptions) {
    super();
    const { bucket, endpoint, region, pathStyle = endpoint !== undefined, credentials } = options;
    this.prefix = options.prefix ?? '';
    this.patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.location = `bucket '${bucket}'${endpoint === undefined ? '' : ` of ${new URL(endpoint).host}`}`;
    this.client = new S3Client({
      ...(endpoint !== undefined && { endpoint }),
      // One that most servers with an endpoint of their own ignore, but that every signature names.
      ...(region === undefined ? endpoint !== undefined && { region: 'us-east-1' } : { region }),
      ...(credentials && { credentials }),
      forcePathStyle: pathStyle,
      maxAttempts: MAX_ATTEMPTS,
      // What is newer than S3's first version not all servers know.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
      },
    });
  }

  /**
   * Asks for an object that does not exist. A bucket that does not exist, or that refuses this server, is a setting that is wrong. One that cannot be
   * reached may be back before the first file.
   *
   * @throws AppError STORAGE_FAILED
   */
  override async open(): Promise<void> {
    const check = AbortSignal.timeout(Math.min(CHECK_MS, this.patienceMs));
    try {
      // The SDK looks for credentials without the signal.
      await Promise.race([this.check(check), rejectAtAbort(check)]);
    } catch (error) {
      const name = readName(error) ?? '';
      if (name === 'NoSuchBucket')
        throw createSettingError(
          error,
          `There is no ${this.location}. Create it, or set ${nameOption('bucket of S3ObjectStore')} to another.`,
        );
      if (name === 'AccessDenied' || WRONG_CREDENTIALS.has(name))
        throw createSettingError(
          error,
          `The ${this.location} refuses this server (${name}). Check its credentials, and that they may read, write and delete objects there.`,
        );
      this.logger.warn(
        { err: toReason(error) },
        `The ${this.location} could not be checked. Files are refused while it is away.`,
      );
    }
  }

  async put(name: string, data: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({
      ...this.address(name),
      Body: data,
      ContentLength: data.byteLength,
      // Opened in a console of the bucket, it is a download and no page.
      ContentType: 'application/octet-stream',
    });
    await this.attempt(() => this.client.send(command, this.limit()));
  }

  async get(name: string, bytes: number): Promise<Uint8Array | undefined> {
    return this.attempt(async () => {
      const limit = this.limit();
      for (let attempts = 1; ; attempts += 1) {
        const body = await this.openBody(name, limit);
        if (!body) return undefined;
        try {
          return await readAll(body, bytes);
        } catch (error) {
          // The SDK repeats a call that has failed, and not one whose body breaks off.
          if (attempts === MAX_ATTEMPTS || limit.abortSignal.aborted) throw error;
        }
      }
    });
  }

  async delete(name: string, signal?: AbortSignal): Promise<void> {
    const command = new DeleteObjectCommand(this.address(name));
    await this.attempt(() => this.client.send(command, this.limit(signal)));
  }

  override async close(): Promise<void> {
    this.client.destroy();
  }

  private async check(abortSignal: AbortSignal): Promise<void> {
    try {
      await this.openBody(ABSENT, { abortSignal });
    } catch (error) {
      // Without the right to list, that is the answer for each object that does not exist. Removing one needs no further right.
      if (readName(error) !== 'AccessDenied') throw error;
      await this.client.send(new DeleteObjectCommand(this.address(ABSENT)), { abortSignal });
    }
  }

  private address(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.options.bucket, Key: `${this.prefix}${name}` };
  }

  private async openBody(
    name: string,
    limit: { readonly abortSignal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      const { Body } = await this.client.send(new GetObjectCommand(this.address(name)), limit);
      return Body as AsyncIterable<Uint8Array> | undefined;
    } catch (error) {
      if (readName(error) === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  private limit(signal?: AbortSignal): { readonly abortSignal: AbortSignal } {
    const patience = AbortSignal.timeout(this.patienceMs);
    return { abortSignal: signal ? AbortSignal.any([patience, signal]) : patience };
  }

  private async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw new AppError(
        'STORAGE_FAILED',
        'The store of files cannot be reached, or has refused the request. Try again soon.',
        { cause: toReason(error), retryable: true },
      );
    }
  }
}

function rejectAtAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return promise;
}

/** Reads a body into the memory that it needs, and no more. */
async function readAll(body: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(bytes);
  let read = 0;
  for await (const piece of body) {
    if (read + piece.byteLength > bytes) throw createLengthError(bytes);
    data.set(piece, read);
    read += piece.byteLength;
  }
  if (read < bytes) throw createLengthError(bytes);
  return data;
}

function createSettingError(error: unknown, message: string): AppError {
  return new AppError('STORAGE_FAILED', message, { cause: toReason(error) });
}

function createLengthError(bytes: number): Error {
  return new Error(`The object does not have ${bytes} bytes.`);
}

function readName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** Returns what an error says. The SDK's errors have requests and responses in them, with the id of the key. */
function toReason(error: unknown): Error {
  return error instanceof Error ? new Error(`${error.name}: ${error.message}`) : new Error(String(error));
}
