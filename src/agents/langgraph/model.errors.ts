import { AppError } from '../../errors.js';

const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);
/** Codes of a connection that was open and broke; before the first byte the wrapping error says "fetch failed" instead. */
const CUT_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT']);
const UNREACHABLE_NAMES = /^(APIConnection(Timeout)?Error|TimeoutError)$/;
const ABORT_NAMES = /^(AbortError|ModelAbortError|APIUserAbortError)$/;
const CUT_MESSAGES =
  /^(terminated|premature close|received empty response from chat model call|did not receive done or success response in stream)/i;
const TOO_LONG = /context.?(length|window)|maximum context|prompt is too long|too many (input )?tokens/i;

/**
 * What to tell a person when a model call threw `error`; undefined when it is neither a provider's answer nor a network
 * failure (an abort, a fault in our own code), which the caller knows better. An `AppError` comes back as it is.
 *
 * - `MODEL_UNREACHABLE` (retryable): no connection, no such host, no answer in time;
 * - `MODEL_REFUSED`: key, model name or request not accepted, quota used up, conversation too long;
 * - `MODEL_OVERLOADED` (retryable): rate limit or overload;
 * - `MODEL_FAILED` (retryable): other provider failures, and an answer that broke off in the middle.
 *
 * The messages are ours from the first to the last word, those of the causes too: a provider's own text may quote the prompt,
 * the key or the address, and causes are logged.
 */
export function toModelError(error: unknown): AppError | undefined {
  const chain = causes(error);
  const known = chain.find((link) => link instanceof AppError);
  if (known) return known;
  if (chain.some((link) => ABORT_NAMES.test(nameOf(link)))) return undefined;
  const cause = wordless(chain);
  return fromStatus(chain, cause) ?? fromType(chain, cause) ?? fromNetwork(chain, cause);
}

/** What the log may know of the failure: its names, codes and places, and none of the provider's words. */
function wordless(chain: readonly Failure[]): Error | undefined {
  let cause: Error | undefined;
  for (const link of chain.toReversed()) {
    const facts = [nameOf(link), numeric(link.status) ?? numeric(link.status_code), link.code]
      .filter((fact) => typeof fact === 'string' || typeof fact === 'number')
      .join(' ');
    const copy = new Error(facts, { cause });
    const places = (link.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    copy.stack = [`Error: ${facts}`, ...places].join('\n');
    cause = copy;
  }
  return cause;
}

function fromStatus(chain: readonly Failure[], cause: unknown): AppError | undefined {
  const status = firstOf(chain, (link) => numeric(link.status) ?? numeric(link.status_code));
  if (status === undefined || status < 400) return undefined;
  if (status === 429 && chain.some((link) => link.code === 'insufficient_quota')) return quota(cause);
  if (status === 429 || status === 503 || status === 529) return overloaded(cause);
  if (status >= 500) return failed(cause);
  if (status === 408) return unreachable(cause);
  if (status === 413 || isTooLong(chain)) return tooLong(cause);
  if (status === 401 || status === 403) {
    return refused('The model provider refused the API key. Check the key and what it may use.', cause);
  }
  if (status === 404) {
    return refused(
      'The model provider does not know this model or address. Check MODEL and its base URL.',
      cause,
    );
  }
  return refused(
    'The model provider did not accept the request. Check that the model supports tools and streaming.',
    cause,
  );
}

/** A failure that a provider reports inside a stream that began well has a type but no status. */
function fromType(chain: readonly Failure[], cause: unknown): AppError | undefined {
  if (isTooLong(chain)) return tooLong(cause);
  const type = firstOf(chain, typeOf);
  if (type === 'overloaded_error' || type === 'rate_limit_error') return overloaded(cause);
  return type === undefined ? undefined : failed(cause);
}

function fromNetwork(chain: readonly Failure[], cause: unknown): AppError | undefined {
  const has = (codes: ReadonlySet<string>) =>
    chain.some((link) => typeof link.code === 'string' && codes.has(link.code));
  if (has(UNREACHABLE_CODES) || chain.some((link) => UNREACHABLE_NAMES.test(nameOf(link))))
    return unreachable(cause);
  if (chain.some((link) => link.message === 'fetch failed')) return unreachable(cause);
  if (has(CUT_CODES) || chain.some((link) => CUT_MESSAGES.test(messageOf(link)))) return failed(cause);
  // A frame of the stream that is not JSON: cut in the middle, or an answer of something that is no model provider.
  return chain.some((link) => link.name === 'SyntaxError') ? failed(cause) : undefined;
}

const unreachable = (cause: unknown) =>
  new AppError(
    'MODEL_UNREACHABLE',
    'The model provider cannot be reached. Check the network and the base URL of the model, then try again.',
    { cause, retryable: true },
  );
const overloaded = (cause: unknown) =>
  new AppError(
    'MODEL_OVERLOADED',
    'The model provider is limiting requests or overloaded. Try again in a moment.',
    {
      cause,
      retryable: true,
    },
  );
const failed = (cause: unknown) =>
  new AppError('MODEL_FAILED', 'The model provider failed before the answer was complete. Try again.', {
    cause,
    retryable: true,
  });
const refused = (message: string, cause: unknown) => new AppError('MODEL_REFUSED', message, { cause });
const quota = (cause: unknown) =>
  refused('The quota of this model account is used up. Check its plan and billing.', cause);
const tooLong = (cause: unknown) =>
  refused(
    'The conversation is too long for this model. Start a new thread, or use a model with a larger context.',
    cause,
  );

/** The fields that SDKs put on their errors; none of them is certain. */
type Failure = Error & {
  readonly status?: unknown;
  readonly status_code?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly error?: unknown;
};

/**
 * The error and what caused it, outermost first. Bounded, since a cause may point back. By shape and not by class: errors of
 * Node's own `fetch` may come from another realm.
 */
function causes(error: unknown): Failure[] {
  const chain: Failure[] = [];
  for (let link = error; isErrorLike(link) && chain.length < 8; link = link.cause) chain.push(link);
  return chain;
}

function isErrorLike(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

function isTooLong(chain: readonly Failure[]): boolean {
  return chain.some((link) => link.name === 'ContextOverflowError' || TOO_LONG.test(messageOf(link)));
}

/** `{type}`, or the `{error: {type}}` of an Anthropic body, which its SDK keeps as `error.error`. */
function typeOf(link: Failure): string | undefined {
  if (typeof link.type === 'string') return link.type;
  const body = link.error as
    { readonly type?: unknown; readonly error?: { readonly type?: unknown } } | undefined;
  const type = body?.error?.type ?? body?.type;
  return typeof type === 'string' ? type : undefined;
}

/** SDK errors keep the name "Error" and differ by class only. */
function nameOf(link: Failure): string {
  return link.name === 'Error' ? link.constructor.name : link.name;
}

function messageOf(link: Failure): string {
  return typeof link.message === 'string' ? link.message : '';
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function firstOf<Value>(
  chain: readonly Failure[],
  read: (link: Failure) => Value | undefined,
): Value | undefined {
  for (const link of chain) {
    const value = read(link);
    if (value !== undefined) return value;
  }
  return undefined;
}
