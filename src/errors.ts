import type { PublicError } from './events/run-event.js';

/** Every code this package can show to a client, with what it means. Codes are stable: clients may switch on them. */
export const ERROR_CODES = {
  // the request
  REQUEST_INVALID: 'The request does not have the documented form.',
  REQUEST_TOO_LARGE: 'The request body is larger than the limit.',
  ENCODING_UNSUPPORTED: 'The request body is compressed, or is not in UTF-8.',
  FILE_REFUSED: 'Files of this type, or files by URL, are not taken here.',
  FILE_NOT_ACCEPTED: 'The agent does not take files of this type.',
  FILES_FULL: 'The files of the caller take as much space as they may.',
  CURSOR_INVALID:
    'The event id is not valid for this stream: it has the wrong form, or belongs to another run.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was already used for a request with another body.',
  // the caller
  UNAUTHENTICATED: 'The request has no valid credentials.',
  FORBIDDEN: 'The credentials are valid but do not allow this.',
  SWITCHED_OFF: 'An operator has switched off the caller or the agent.',
  ORIGIN_REFUSED: 'The request comes from a web origin or host name that is not allowed here.',
  RATE_LIMITED: 'The caller has made too many requests. Retry-After says how long to wait.',
  TOO_MANY_STREAMS: 'The caller has too many open streams.',
  TOO_MANY_DELAYED: 'Too many runs of the caller begin later.',
  // what was asked for
  NOT_FOUND: 'The resource does not exist, or belongs to another user.',
  AGENT_UNKNOWN: 'There is no agent with this name.',
  ID_TAKEN: 'You have something of this id already.',
  THREAD_BUSY: 'A run of the thread is still active.',
  RUN_FOLLOWED: 'Another run continues from this one.',
  RUN_CLOSED: 'The run takes no messages: it has ended, waits for an answer, or its agent takes none.',
  MESSAGE_TAKEN: 'The run has taken the message, which can no longer be withdrawn.',
  INPUT_PENDING: 'The thread waits for an answer.',
  INPUT_CLOSED:
    'The input can no longer be answered: it was answered, has expired, or was closed by a later message.',
  // the run
  MODEL_UNREACHABLE: 'The model provider cannot be reached.',
  MODEL_REFUSED: 'The model provider refused the request or the key.',
  MODEL_FILTERED: 'The content filter of the model provider refused the message.',
  MODEL_OVERLOADED: 'The model provider is overloaded, or limits requests.',
  MODEL_FAILED: 'The model call failed.',
  RUN_LIMIT: 'The run reached one of its limits.',
  RUN_FAILED: 'The agent failed.',
  INPUT_EXPIRED: 'The agent asked for input and got no answer in time.',
  RUN_POISONED: 'The run was given up, because the processes that worked on it died one after the other.',
  STATE_EXPIRED: 'The earlier state of the thread is no longer kept.',
  // tools
  TOOL_NOT_CONFIGURED: 'The tool needs a setting that is missing.',
  TOOL_INPUT_INVALID: 'The model called the tool with arguments that do not match its schema.',
  TOOL_UNKNOWN: 'The model called a tool that does not exist.',
  TOOL_DENIED: 'The call was denied by a person, is not allowed for the caller, or its tool is switched off.',
  TOOL_TIMEOUT: 'The tool did not finish in time.',
  TOOL_CANCELLED: 'The tool call was cancelled.',
  TOOL_FAILED: 'The tool failed.',
  TOOL_INTERRUPTED: 'The process died during a call that must not be repeated.',
  TOOL_DUPLICATE: 'Two tools have the same name.',
  TOOL_INVALID: 'The definition of a tool is not valid.',
  // the server
  CONFIG_INVALID: 'The settings are not valid.',
  STORAGE_FAILED: 'The storage cannot be read or written.',
  STORAGE_LOCKED: 'Another process or storage uses this directory.',
  AUTH_UNAVAILABLE: 'The identity provider cannot be reached.',
  SERVER_BUSY: 'The server has no room for another request at the moment. Retry-After says how long to wait.',
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
   *   `details`: further fields of the problem document, safe to show; `shownName`: the name of the error whose message this is, safe to show
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly options: {
      readonly cause?: unknown;
      readonly retryable?: boolean;
      readonly details?: Readonly<Record<string, unknown>>;
      readonly shownName?: string;
    } = {},
  ) {
    super(message, { cause: options.cause });
  }

  get retryable(): boolean {
    return this.options.retryable ?? false;
  }
}

type MissingKind = 'assistant' | 'run' | 'thread';

/** Something that the caller does not have: it does not exist or belongs to somebody else, and both are told alike. */
export class MissingError extends AppError {
  /** @param where the place that was searched, as ` in thread 'x'`; absent: everywhere */
  constructor(
    readonly kind: MissingKind,
    readonly id: string,
    where = '',
  ) {
    super('NOT_FOUND', `There is no ${kind} '${id}'${where}.`);
  }
}

/** Returns the part of a failure that viewers may see: an AppError's own message, or else only that something failed. */
export function toPublicError(
  error: unknown,
  otherwise: { readonly code: ErrorCode; readonly message: string },
): PublicError {
  if (error instanceof AppError) {
    const { code, message, retryable, options } = error;
    const { shownName: name } = options;
    return { code, message, retryable, ...(name !== undefined && { name }) };
  }
  return { ...otherwise, retryable: false };
}
