import { HttpException } from '@nestjs/common';
import { AppError, ERROR_CODES, type ErrorCode } from '../errors.js';

/** RFC 9457 problem details, with the stable code that clients may switch on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

/** The HTTP status of each code; the only place where codes and statuses meet. Everything that is not listed is a 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  REQUEST_TOO_LARGE: 413,
  ENCODING_UNSUPPORTED: 415,
  FILE_REFUSED: 415,
  FILE_NOT_ACCEPTED: 422,
  FILES_FULL: 413,
  CURSOR_INVALID: 400,
  IDEMPOTENCY_CONFLICT: 422,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  ORIGIN_REFUSED: 403,
  SWITCHED_OFF: 403,
  RATE_LIMITED: 429,
  TOO_MANY_STREAMS: 429,
  TOO_MANY_DELAYED: 429,
  NOT_FOUND: 404,
  AGENT_UNKNOWN: 400,
  ID_TAKEN: 409,
  THREAD_BUSY: 409,
  RUN_FOLLOWED: 409,
  RUN_CLOSED: 409,
  MESSAGE_TAKEN: 409,
  INPUT_PENDING: 409,
  INPUT_CLOSED: 409,
  AUTH_UNAVAILABLE: 503,
  STORAGE_FAILED: 503,
  SERVER_BUSY: 503,
};

export function getStatus(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

/** The problem that a client is told. Of an unexpected error it learns nothing but that. */
export function toProblem(error: unknown): Problem {
  if (error instanceof AppError) return problem(error.code, error.message, error.options.details);
  const { status, message } = readHttpError(error);
  if (status === 413) return problem('REQUEST_TOO_LARGE', 'The request body is too large.');
  if (status === 404) return problem('NOT_FOUND', message);
  if (status === 401) return problem('UNAUTHENTICATED', message);
  if (status === 403) return problem('FORBIDDEN', message);
  if (status === 429) return problem('RATE_LIMITED', message);
  if (status >= 400 && status < 500) return { ...problem('REQUEST_INVALID', message), status };
  return problem('INTERNAL', ERROR_CODES.INTERNAL);
}

function problem(code: ErrorCode, detail: string, details: Readonly<Record<string, unknown>> = {}): Problem {
  return {
    ...details,
    type: `urn:agent-stream:problem:${code}`,
    title: ERROR_CODES[code],
    status: getStatus(code),
    code,
    detail,
  };
}

/** Errors of Nest and of the body parser: both carry a status, and a message about the request that its sender may read. */
function readHttpError(error: unknown): { status: number; message: string } {
  if (error instanceof HttpException) return { status: error.getStatus(), message: error.message };
  if (error instanceof Error && 'status' in error && 'expose' in error && typeof error.status === 'number') {
    return { status: error.status, message: 'The request body cannot be read as JSON.' };
  }
  return { status: 500, message: '' };
}
