import type { PublicError } from './events/run-event.js';

/** Every code this package can show to a client, with what it means. Codes are stable: clients may switch on them. */
export const ERROR_CODES = {
  // the request
  REQUEST_INVALID: 'The request does not have the documented shape.',
  REQUEST_TOO_LARGE: 'The request body is larger than the limit.',
  CURSOR_INVALID: 'The event id is not one that this server writes, or it belongs to another run.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before with another request body.',
  // the caller
  UNAUTHENTICATED: 'No valid credentials came with the request.',
  FORBIDDEN: 'The credentials are valid but do not allow this.',
  ORIGIN_REFUSED: 'The request comes from a web origin or host name that is not allowed here.',
  RATE_LIMITED: 'Too many requests; Retry-After says when to come back.',
  TOO_MANY_STREAMS: 'Too many open streams for this principal.',
  // what was asked for
  NOT_FOUND: 'It does not exist, or it is not yours.',
  AGENT_UNKNOWN: 'No agent of that name is registered.',
  THREAD_BUSY: 'The thread has a run that has not ended yet.',
  RUN_ENDED: 'The run has ended already.',
  APPROVAL_PENDING: 'The thread waits for a person to decide on a tool call.',
  APPROVAL_CLOSED: 'Nothing can be decided here any more, or it was decided otherwise before.',
  // the run
  MODEL_UNREACHABLE: 'The model provider cannot be reached.',
  MODEL_REFUSED: 'The model provider refused the request or the key.',
  MODEL_OVERLOADED: 'The model provider is limiting or overloaded.',
  MODEL_FAILED: 'The model call failed.',
  RUN_LIMIT: 'The run reached one of its limits.',
  RUN_FAILED: 'The agent failed.',
  // tools
  TOOL_NOT_CONFIGURED: 'The tool needs a setting that is absent.',
  TOOL_INPUT_INVALID: 'The model called the tool with arguments that do not fit its schema.',
  TOOL_UNKNOWN: 'The model called a tool that does not exist.',
  TOOL_DENIED: 'The principal may not use this tool, or a person denied the call.',
  TOOL_TIMEOUT: 'The tool did not answer in time.',
  TOOL_CANCELLED: 'The tool call was cancelled.',
  TOOL_FAILED: 'The tool failed.',
  TOOL_INTERRUPTED: 'The process died during a call that must not be made twice.',
  TOOL_DUPLICATE: 'Two tools have the same name.',
  TOOL_INVALID: 'The declaration of a tool cannot work.',
  // the server
  CONFIG_INVALID: 'The settings are not usable.',
  STORAGE_FAILED: 'The storage cannot be read or written.',
  STORAGE_LOCKED: 'Another process uses this storage.',
  AUTH_UNAVAILABLE: 'The identity provider cannot be reached.',
  SHUTTING_DOWN: 'The server is about to stop.',
  INTERNAL: 'Internal error.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An error whose message was written to be shown to the caller. Of any other error a client sees "Internal error"
 * and the log has the cause.
 */
export class AppError extends Error {
  override readonly name = 'AppError';

  /**
   * @param code stable; `ERROR_CODES` says what each means
   * @param message names what is wrong and the remedy; never a secret, a path, a prompt or a stack
   * @param options `cause`: kept for the log; `retryable`: asking again, unchanged, may succeed (default false);
   *   `details`: further fields of the problem document, safe to show
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: {
      readonly cause?: unknown;
      readonly retryable?: boolean;
      readonly details?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message, { cause: options.cause });
  }

  get retryable(): boolean {
    return this.options.retryable ?? false;
  }
}

/** What a viewer may know of any failure: an AppError's own words, and of everything else only that it happened. */
export function toPublicError(
  error: unknown,
  otherwise: { readonly code: ErrorCode; readonly message: string },
): PublicError {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, retryable: error.retryable };
  return { ...otherwise, retryable: false };
}
