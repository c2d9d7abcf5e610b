import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';

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
/** Types and codes that providers report in their streams. */
const OVERLOADS = /overloaded|rate_limit|too_many_requests|unavailable/i;
/** Codes of a filter that refused to let the model read something. */
const FILTER_CODES =
  /content_?filter|content_policy|policy_violation|responsible_?ai|data_?inspection|moderation|content_safety|safety_violation|prohibited_content/i;
/** The words of those that have no code for it: OpenRouter, DeepSeek, Alibaba, OpenAI's `invalid_prompt`, Anthropic. */
const FILTER_WORDS =
  /content (management|filter|moderation|safety|policy)|content exists risk|was flagged|flagged (as|by|for)|violat(es?|ing|ion of) (\w+ ){0,3}(usage|content|safety) polic(y|ies)|inappropriate content|sensitive content|safety (reasons|system|filter)|responsible ai|data_?inspection/i;
const ABORT_NAMES = /^(AbortError|ModelAbortError|APIUserAbortError)$/;
const CUT_MESSAGES =
  /^(terminated|premature close|received empty response from chat model call|did not receive done or success response in stream)/i;
const TOO_LONG = /context.?(length|window)|maximum context|prompt is too long|too many (input )?tokens/i;

/**
 * Returns the error to show when a model call threw `error`; undefined if it is neither a provider's reply nor a network failure (an
 * abort, a fault in our own code), which the caller knows better. An `AppError` comes back as it is.
 *
 * - `MODEL_UNREACHABLE` (retryable): no connection, no such host, no answer in time;
 * - `MODEL_REFUSED`: key, model name or request not accepted, quota used up, conversation too long;
 * - `MODEL_FILTERED`: a content filter of the provider refused to let the model read the conversation;
 * - `MODEL_OVERLOADED` (retryable): rate limit or overload;
 * - `MODEL_FAILED` (retryable): other provider failures, and an answer that broke off in the middle.
 *
 * The messages are ours from the first to the last word, those of the causes too: a provider's own text may quote the prompt, the
 * key or the address, and causes are logged.
 */
export function toModelError(error: unknown): AppError | undefined {
  const chain = causes(error);
  const known = chain.find((link) => link instanceof AppError);
  if (known) return known;
  if (chain.some((link) => ABORT_NAMES.test(getName(link)))) return undefined;
  const cause = findErrorWithoutMessage(chain);
  return fromStatus(chain, cause) ?? fromType(chain, cause) ?? fromNetwork(chain, cause);
}

/** True if the provider refused the conversation because it is too long for the model. */
export function isTooLongForModel(error: unknown): boolean {
  const chain = causes(error);
  return isTooLong(chain) || chain.some((link) => numeric(link.status) === 413);
}

/** True if a filter of the provider refused to let the model read the conversation. */
export function isFilteredByProvider(error: unknown): boolean {
  const chain = causes(error);
  return chain.some(({ code }) => code === 'MODEL_FILTERED') || isFiltered(chain);
}

/** True if the words of a provider's error are those of a content filter. */
export function namesFilter(message: unknown): boolean {
  return typeof message === 'string' && FILTER_WORDS.test(message);
}

/** Returns the part of a failure that logs may have: its names, codes and stack frames, without the provider's text. */
function findErrorWithoutMessage(chain: readonly Failure[]): Error | undefined {
  let cause: Error | undefined;
  for (const link of chain.toReversed()) {
    const facts = [getName(link), numeric(link.status) ?? numeric(link.status_code), link.code]
      .filter((fact) => typeof fact === 'string' || typeof fact === 'number')
      .join(' ');
    const copy = new Error(facts, { cause });
    const frames = (link.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    copy.stack = [`Error: ${facts}`, ...frames].join('\n');
    cause = copy;
  }
  return cause;
}

function fromStatus(chain: readonly Failure[], cause: unknown): AppError | undefined {
  const status = findFirst(
    chain,
    (link) => numeric(link.status) ?? numeric(link.status_code) ?? findStatus(link),
  );
  if (status === undefined || status < 400) return undefined;
  if (status === 429 && chain.some((link) => link.code === 'insufficient_quota')) return quota(cause);
  if (status === 429 || status === 503 || status === 529) return overloaded(cause);
  if (status >= 500) return failed(cause);
  if (status === 408) return unreachable(cause);
  if (isFiltered(chain)) return filtered(cause);
  if (status === 413 || isTooLong(chain)) return tooLong(cause);
  if (status === 401 || status === 403) {
    return refused('The model provider refused the API key. Check the key and its permissions.', cause);
  }
  if (status === 404) {
    return refused(
      `The model provider does not know this model or address. Check the model's name and ${nameOption('baseUrl of createModel')}.`,
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
  if (isFiltered(chain)) return filtered(cause);
  if (isTooLong(chain)) return tooLong(cause);
  const type = findFirst(chain, getType);
  const code = findFirst(chain, ({ code: said }) => said);
  if (code === 'insufficient_quota') return quota(cause);
  if (OVERLOADS.test(String(type)) || OVERLOADS.test(String(code))) return overloaded(cause);
  return type === undefined ? undefined : failed(cause);
}

function fromNetwork(chain: readonly Failure[], cause: unknown): AppError | undefined {
  const has = (codes: ReadonlySet<string>) =>
    chain.some((link) => typeof link.code === 'string' && codes.has(link.code));
  if (has(UNREACHABLE_CODES) || chain.some((link) => UNREACHABLE_NAMES.test(getName(link))))
    return unreachable(cause);
  if (chain.some((link) => link.message === 'fetch failed')) return unreachable(cause);
  if (has(CUT_CODES) || chain.some((link) => CUT_MESSAGES.test(getMessage(link)))) return failed(cause);
  // A frame of the stream that is not JSON: cut in the middle, or a reply that is not a model provider's.
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
const filtered = (cause: unknown) =>
  new AppError(
    'MODEL_FILTERED',
    'The content filter of the model provider refused this message. The model does not get it again; write it in other words.',
    { cause },
  );
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
  return chain.some((link) => link.name === 'ContextOverflowError' || TOO_LONG.test(getMessage(link)));
}

/** Overloads and failures of the server have words for everything, and are no answer to what was said. */
function isFiltered(chain: readonly Failure[]): boolean {
  const status = findFirst(chain, (link) => numeric(link.status) ?? findStatus(link));
  if (status !== undefined && (status === 401 || status === 404 || status === 429 || status >= 500))
    return false;
  return chain.some((link) => {
    const said = [link.code, getType(link), getInnerCode(link)];
    return (
      said.some((name) => typeof name === 'string' && FILTER_CODES.test(name)) ||
      namesFilter(getMessage(link))
    );
  });
}

/** Azure has the code of its filter one level deeper: `innererror.code`. */
function getInnerCode({ error }: Failure): unknown {
  const body = error as
    { readonly code?: unknown; readonly innererror?: { readonly code?: unknown } } | undefined;
  return body?.innererror?.code ?? body?.code;
}

/** `{type}`, or the `{error: {type}}` of an Anthropic body, which its SDK keeps as `error.error`. */
function getType(link: Failure): string | undefined {
  if (typeof link.type === 'string') return link.type;
  const body = link.error as
    { readonly type?: unknown; readonly error?: { readonly type?: unknown } } | undefined;
  const type = body?.error?.type ?? body?.type;
  if (typeof type === 'string') return type;
  // The body of an error that says nothing of itself is one all the same.
  return link.error ? 'error' : undefined;
}

/** SDK errors keep the name "Error" and differ by class only. */
function getName(link: Failure): string {
  return link.name === 'Error' ? link.constructor.name : link.name;
}

function getMessage(link: Failure): string {
  return typeof link.message === 'string' ? link.message : '';
}

/** A failure in a stream has the status that it would have had as a code, in the error itself or in the body that its SDK kept. */
function findStatus({ code, error }: Failure): number | undefined {
  const inside = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const status = [code, inside].find((each) => /^[45]\d\d$/.test(String(each)));
  return status === undefined ? undefined : Number(status);
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function findFirst<Value>(
  chain: readonly Failure[],
  read: (link: Failure) => Value | undefined,
): Value | undefined {
  for (const link of chain) {
    const value = read(link);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Characters of an error's message that people see. */
const MAX_SHOWN = 2_000;

/**
 * Returns the failure of a graph in words that may be shown, where there are any.
 *
 * @param showsErrors true if those of the graph's own errors may be
 */
export function explainFailure(error: unknown, modelFailure: unknown, showsErrors: boolean): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'GraphRecursionError') {
    return new AppError('RUN_LIMIT', 'The agent took more steps than a run may have (GraphRecursionError).', {
      cause: error,
    });
  }
  const explained = modelFailure === undefined ? undefined : toModelError(modelFailure);
  return explained ?? (showsErrors ? toShown(error) : error);
}

/** By shape, since a graph may bring its own classes. */
function toShown(error: unknown): unknown {
  if (!isErrorLike(error)) return error;
  const shown = (text: string) => text.slice(0, MAX_SHOWN).toWellFormed();
  return new AppError('RUN_FAILED', shown(getMessage(error)), {
    cause: error,
    shownName: shown(error.name),
  });
}
