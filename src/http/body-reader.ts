import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.js';
import type { BodyShare } from './body-budget.js';

const FIRST_BYTES = 16 * 1024;

/** Each chunk costs a microsecond however short it is; so many may be shorter than MIN_CHUNK_BYTES on average. */
const MANY_CHUNKS = 4_096;
const MIN_CHUNK_BYTES = 64;

interface BodyTerms {
  /** The longest body, in bytes. */
  readonly limit: number;
  readonly share: BodyShare;
  /** Called when the body is wanted, before its first byte is read. */
  readonly begin: () => void;
}

/**
 * Reads the body of a request into one buffer that grows with what has arrived, so that neither a long `Content-Length` nor
 * chunks of one byte cost more than what was sent.
 *
 * @throws AppError `REQUEST_TOO_LARGE`, at once when the request says so itself; what `share` throws; `REQUEST_INVALID` when
 *   the client leaves before the end
 */
export async function readBytes(
  request: IncomingMessage,
  { limit, share, begin }: BodyTerms,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw createTooLargeError(limit);
  share.assertFits(declared);
  begin();
  const body = new GrowingBuffer(declared, limit, share);
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      try {
        body.add(chunk);
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onEnd = (): void => finish(() => resolve(body.bytes));
    const onClose = (): void =>
      finish(() => reject(new AppError('REQUEST_INVALID', 'The request ended before its body did.')));
    const finish = (settle: () => void): void => {
      request.pause();
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

class GrowingBuffer {
  private buffer: Buffer = Buffer.alloc(0);
  private length = 0;
  private chunks = 0;

  constructor(
    private readonly declared: number,
    private readonly limit: number,
    private readonly share: BodyShare,
  ) {}

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    if (length > this.limit) throw createTooLargeError(this.limit);
    if (++this.chunks > MANY_CHUNKS && length < this.chunks * MIN_CHUNK_BYTES)
      throw createTooManyChunksError();
    if (length === this.declared && this.length === 0) this.keep(chunk);
    else {
      if (length > this.buffer.length) this.grow(length);
      chunk.copy(this.buffer, this.length);
    }
    this.length = length;
  }

  /** The whole body came in one piece, as short ones do. */
  private keep(chunk: Buffer): void {
    this.share.take(chunk.length);
    this.buffer = chunk;
  }

  private grow(needed: number): void {
    const size = Math.max(needed, Math.min(this.limit, Math.max(FIRST_BYTES, 2 * this.buffer.length)));
    this.share.take(size - this.buffer.length);
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

function createTooLargeError(limit: number): AppError {
  return new AppError(
    'REQUEST_TOO_LARGE',
    `The request body is larger than ${limit.toLocaleString('en')} bytes. Send less.`,
  );
}

function createTooManyChunksError(): AppError {
  return new AppError(
    'REQUEST_INVALID',
    'The request body comes in too many small chunks. Send larger ones.',
  );
}
