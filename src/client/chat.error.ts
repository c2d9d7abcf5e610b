/**
 * The reason why a call or a subscription failed. `message` was written to be shown.
 *
 * `code` is the server's own (docs/event-protocol.md and the API's problem documents list them), or one of `UNREACHABLE` (no answer
 * at all) and `UNEXPECTED_ANSWER` (an answer that this API does not give: a proxy's, most likely).
 */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  /** Time that the server asks the client to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The whole problem document, with fields such as the `runId` of THREAD_BUSY. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    facts: {
      readonly status: number;
      readonly code: string;
      readonly retryAfterMs?: number;
      readonly problem?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.retryAfterMs = facts.retryAfterMs;
    this.problem = facts.problem ?? {};
  }

  /** True when the remedy is to sign in. */
  get needsSignIn(): boolean {
    return this.status === 401;
  }

  /** True when the same request may succeed a little later: no answer, a limit, or a server that is restarting. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** No answer came: the network is down, the server is away, or the browser refused the request. */
  static unreachable(cause: unknown): ChatError {
    return new ChatError('The server cannot be reached.', { status: 0, code: 'UNREACHABLE', cause });
  }

  /** Reads a response that is not a success, whatever it contains. */
  static async fromResponse(response: Response): Promise<ChatError> {
    const problem = await readProblem(response);
    const message = [problem['detail'], problem['title']].find(
      (text) => typeof text === 'string' && text !== '',
    );
    const code = problem['code'];
    return new ChatError(
      typeof message === 'string' ? message : `The server answered with status ${response.status}.`,
      {
        status: response.status,
        code: typeof code === 'string' ? code : 'UNEXPECTED_ANSWER',
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
        problem,
      },
    );
  }
}

async function readProblem(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
