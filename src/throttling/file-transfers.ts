import { Injectable } from '@nestjs/common';
import { ByteSlots, type ReleaseBytes } from '../byte-slots.js';
import { AppError } from '../errors.js';
import { cutIfStalled, onReplyStart } from './reply-start.js';
import { RequestTurns, toRaw, watchClose, type TurnResponse } from './request-turns.js';

/** Bytes of files that this process holds for downloads at a time. */
const DOWNLOAD_BYTES = 128 * 1024 * 1024;

/** A client gets so long, in milliseconds, and a second more for so many bytes. One that reads slower holds what others wait for. */
const SLOWEST = { graceMs: 30_000, bytesPerSecond: 32 * 1024 };

/** Maximum time to wait for other downloads' bytes, in milliseconds. */
const WAIT_MS = 30_000;

/** The turns of uploads that are being stored. They take no place of a read, because an object store may be slow. */
@Injectable()
export class Uploads extends RequestTurns {
  /**
   * Does the work in the request's turn, and returns its result. The turn ends with the work, also if the client leaves earlier.
   *
   * @throws AppError `RATE_LIMITED` with `Retry-After`
   */
  async inTurn<Result>(
    request: object,
    response: TurnResponse,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const slot = await this.acquire(request, response);
    try {
      return await work();
    } finally {
      slot.release();
    }
  }
}

/** The turns of downloads of files. They take no place of a read either. Their bytes are limited for the whole process. */
@Injectable()
export class Downloads extends RequestTurns {
  private readonly bytes = new ByteSlots(DOWNLOAD_BYTES);

  /**
   * Reads a file in the request's turn, as soon as there is room for its bytes. The turn ends, and the bytes are free, when the file is read and the response is over: a client
   * that leaves does not end the reading.
   *
   * @throws AppError `RATE_LIMITED` with `Retry-After`
   */
  async inTurn<Result>(
    request: object,
    response: TurnResponse,
    file: {
      readonly describe: () => Promise<{ readonly bytes: number }>;
      readonly read: () => Promise<Result>;
    },
  ): Promise<Result> {
    const raw = toRaw(response);
    const slot = await this.acquire(request, response);
    const { signal, forget } = watchClose(raw);
    let end = () => slot.release();
    try {
      const { bytes } = await file.describe();
      const releaseBytes = await this.enter(bytes, signal);
      end = () => {
        releaseBytes();
        slot.release();
      };
      const result = await file.read();
      signal.throwIfAborted();
      slot.replyStarted();
      const cut = setTimeout(() => raw.destroy(), longestMs(bytes)).unref();
      raw.once('close', () => {
        clearTimeout(cut);
        end();
      });
      onReplyStart(raw, () => cutIfStalled(raw));
      return result;
    } catch (error) {
      end();
      throw error;
    } finally {
      forget();
    }
  }

  private async enter(bytes: number, signal: AbortSignal): Promise<ReleaseBytes> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(createBusyError()), WAIT_MS).unref();
    try {
      return await this.bytes.enter(bytes, AbortSignal.any([signal, patience.signal]));
    } finally {
      clearTimeout(timer);
    }
  }
}

function longestMs(bytes: number): number {
  return SLOWEST.graceMs + (bytes / SLOWEST.bytesPerSecond) * 1000;
}

function createBusyError(): AppError {
  return new AppError('RATE_LIMITED', 'Too many files are being read. Try again in a moment.', {
    retryable: true,
    details: { retryAfterSeconds: 5 },
  });
}
