import type { InputAnswer } from '../events/requested-input.js';
import { emptyView, type RunView } from '../events/run-view.js';
import { type Backoff, backoffMs, DEFAULT_BACKOFF, wait } from './backoff.js';
import { ChatApi } from './chat-api.js';
import { ChatError } from './chat.error.js';
import type { ChatServiceOptions } from './chat-service.options.js';
import type {
  AgentList,
  DecisionResult,
  FileTicket,
  GivenFeedback,
  Inbox,
  PageQuery,
  RunList,
  RunListQuery,
  RunMessage,
  RunRecord,
  Session,
  SignedOut,
  StartedRun,
  ThreadChange,
  ThreadList,
  ThreadListQuery,
  ThreadPage,
  ThreadQuery,
  ThreadSummary,
  UploadedFile,
} from './chat.types.js';
import { newIdempotencyKey } from './idempotency-key.js';
import { runPath, SESSION_PATH, threadPath } from './paths.js';
import { RunHandle } from './run-handle.js';
import { parseRunLogs, type LogQuery, type RunLog } from './run-log.js';
import type { RunStream } from './run-stream.js';
import { createRunSource } from './run-source.js';
import { RunSubscription } from './run.subscription.js';
import type { MessagePart, RegenerateOptions, StartOptions, UploadOptions } from './start.options.js';

const START_ATTEMPTS = 4;

/**
 * The chat API for browsers and Node: starts runs, follows them through every cut, and reads threads.
 *
 * Every method rejects with a {@link ChatError}, whose `message` may be shown. Of its codes, each method can meet
 * UNAUTHENTICATED (sign in), RATE_LIMITED, UNREACHABLE and UNEXPECTED_ANSWER; what is further to expect is said at the method.
 */
export class ChatService {
  private readonly api: ChatApi;
  private readonly backoff: Backoff;

  constructor(private readonly options: ChatServiceOptions) {
    this.api = new ChatApi(options);
    this.backoff = { ...DEFAULT_BACKOFF, ...options.backoff };
  }

  /**
   * Starts a run. Sent again when no answer comes or the server is restarting, up to four times in all: the key that goes
   * with it makes sure that this starts one run.
   *
   * @throws ChatError THREAD_BUSY (`problem.runId` is the run that has to end first), AGENT_UNKNOWN, NOT_FOUND (the thread, or the run
   *   of `replaces` or `parentRunId`, or a file), REQUEST_INVALID, REQUEST_TOO_LARGE, IDEMPOTENCY_CONFLICT; of files FILE_REFUSED,
   *   FILE_NOT_ACCEPTED, FILES_FULL
   */
  start(message: string | readonly MessagePart[], options: StartOptions = {}): Promise<RunHandle> {
    return this.begin({ message }, options);
  }

  /**
   * Regenerates an answer: starts a run in the same place, with the same message and agent. The earlier answer stays as another version. To
   * edit the message, call {@link ChatService.start} with `replaces`.
   *
   * @throws ChatError as of `start`; NOT_FOUND for the run
   */
  regenerate(runId: string, options: RegenerateOptions = {}): Promise<RunHandle> {
    return this.begin({ replaces: runId }, options);
  }

  private async begin(what: object, options: StartOptions): Promise<RunHandle> {
    const { idempotencyKey = newIdempotencyKey(), signal, ...rest } = options;
    for (let attempt = 1; ; attempt++) {
      try {
        const started = await this.api.json<StartedRun>('/runs', {
          method: 'POST',
          body: { ...what, ...rest },
          headers: { 'idempotency-key': idempotencyKey },
          signal,
        });
        return new RunHandle(this, started);
      } catch (error) {
        const again = error instanceof ChatError && error.passing && error.status !== 429;
        if (!again || attempt === START_ATTEMPTS) throw error;
        await wait(
          Math.max(backoffMs(attempt, this.backoff, Math.random()), error.retryAfterMs ?? 0),
          signal,
        );
      }
    }
  }

  /**
   * Follows a run to its end: replayed from its first event or, with `after`, from what that view has seen already.
   * A subscription fails with UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or, with `maxFailures`, UNREACHABLE.
   */
  follow(runId: string, { after }: { readonly after?: RunView } = {}): RunStream {
    return {
      subscribe: (observer) =>
        new RunSubscription(
          createRunSource(runId, {
            api: this.api,
            options: this.options,
            readRecord: (signal) => this.run(runId, { signal }),
          }),
          after ?? emptyView(runId),
          typeof observer === 'function' ? { next: observer } : observer,
          {
            backoff: this.backoff,
            maxFailures: this.options.maxFailures ?? Infinity,
            answerMs: this.options.answerMs ?? 15_000,
            silenceMs: this.options.silenceMs ?? 45_000,
            pauseWhenHidden: this.options.pauseWhenHidden ?? false,
          },
        ),
    };
  }

  /** @throws ChatError NOT_FOUND */
  run(runId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<RunRecord> {
    return this.api.json(runPath(runId), { signal });
  }

  /**
   * Reads a run's log: the events after a seq, or all of them. A long log comes in parts: read on until one has no events. With `everybody` it
   * is that of a run that the caller's role as an operator covers, without what was said.
   *
   * @throws ChatError NOT_FOUND, FORBIDDEN
   */
  async log(runId: string, { after = 0, everybody = false, signal }: LogQuery = {}): Promise<RunLog> {
    const response = await this.api.send(`${everybody ? '/operator' : ''}${runPath(runId)}/log`, {
      query: { after },
      signal,
    });
    const [log] = parseRunLogs(await response.text());
    return log as RunLog;
  }

  /**
   * Sends a file for a message to come, which names it by its `fileId`. It is removed after a while if none does.
   *
   * @throws ChatError REQUEST_TOO_LARGE, FILE_REFUSED (its type is not taken), FILES_FULL, REQUEST_INVALID (it is empty)
   */
  upload(
    file: Blob,
    { signal, onProgress, name = readName(file), type = file.type }: UploadOptions = {},
  ): Promise<UploadedFile> {
    return this.api.upload('/files', file, { query: { name, type }, signal, onProgress });
  }

  /** Removes an upload that no message names. @throws ChatError NOT_FOUND */
  removeUpload(fileId: string): Promise<void> {
    return this.api.json(`/files/${encodeURIComponent(fileId)}`, { method: 'DELETE' });
  }

  /**
   * Returns a URL of a file in a conversation that works without credentials, for an image or a link of a page whose client sends `headers`. It opens
   * this file only, and expires after some minutes: then ask for another.
   *
   * @throws ChatError NOT_FOUND
   */
  async fileTicket(fileId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<FileTicket> {
    const path = `/files/${encodeURIComponent(fileId)}`;
    const { ticket, expiresAt } = await this.api.json<FileTicket>(`${path}/ticket`, {
      method: 'POST',
      signal,
    });
    return { ticket, expiresAt, url: this.api.url(path, { ticket }) };
  }

  /** Returns the URL of a file in a conversation, for an element that sends the session's cookie. */
  fileUrl(fileId: string): string {
    return this.api.url(`/files/${encodeURIComponent(fileId)}`);
  }

  /** Gets a file of a conversation. @throws ChatError NOT_FOUND */
  async file(fileId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Blob> {
    const headers = { accept: '*/*' };
    const response = await this.api.send(`/files/${encodeURIComponent(fileId)}`, { headers, signal });
    return response.blob();
  }

  /** Asks a run to stop; its end comes through its stream. What it has said until then is kept. @throws ChatError NOT_FOUND */
  cancel(runId: string): Promise<RunRecord> {
    return this.api.json(`${runPath(runId)}/cancel`, { method: 'POST' });
  }

  /**
   * Sends a message to a run that is under way, which takes it before its next step: its log says where, by a `message-put` with the `messageId`. If the run ends without one, it
   * has not taken the message. A call with an `id` that the run knows adds nothing.
   *
   * @throws ChatError NOT_FOUND; RUN_CLOSED if the run takes no messages: start a run with it
   */
  steer(runId: string, message: string, { id = newIdempotencyKey() } = {}): Promise<RunMessage> {
    return this.api.json(`${runPath(runId)}/messages`, { method: 'POST', body: { message, id } });
  }

  /** Withdraws a message that its run has not taken, by its `id`. @throws ChatError NOT_FOUND, MESSAGE_TAKEN */
  withdraw(runId: string, id: string): Promise<void> {
    return this.api.json(`${runPath(runId)}/messages/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** Rates an answer, or withdraws its feedback (null). @throws ChatError NOT_FOUND, REQUEST_INVALID */
  async rate(runId: string, feedback: GivenFeedback | null): Promise<void> {
    const request = feedback ? ({ method: 'PUT', body: feedback } as const) : ({ method: 'DELETE' } as const);
    await this.api.json(`${runPath(runId)}/feedback`, request);
  }

  /**
   * Answers something that a run has stopped for: decides on a tool call, or gives the value that is asked for. With the last missing answer the run is continued by another. Repeating an
   * answer is harmless.
   *
   * @throws ChatError NOT_FOUND; REQUEST_INVALID when it does not fit what is asked; INPUT_CLOSED when it was answered otherwise, has
   *   expired, or the conversation went on without it
   */
  answer(runId: string, inputId: string, decision: InputAnswer): Promise<DecisionResult> {
    const path = `${runPath(runId)}/inputs/${encodeURIComponent(inputId)}`;
    return this.api.json(path, { method: 'POST', body: decision });
  }

  /**
   * Lists runs of all threads, without what was said: the caller's or, with `everybody`, those that the caller's role as an operator covers.
   *
   * @throws ChatError FORBIDDEN
   */
  runs({ signal, everybody = false, ...query }: RunListQuery = {}): Promise<RunList> {
    return this.api.json(everybody ? '/operator/runs' : '/runs', { query, signal });
  }

  /** The caller's threads, latest change first. */
  threads({ signal, ...query }: ThreadListQuery = {}): Promise<ThreadList> {
    return this.api.json('/threads', { query, signal });
  }

  /** Lists the inputs that the caller's threads wait for. `limit` counts threads. */
  inbox({ signal, ...query }: PageQuery = {}): Promise<Inbox> {
    return this.api.json('/inbox', { query, signal });
  }

  /** Renames, pins or archives a thread, or marks it as read. @throws ChatError NOT_FOUND */
  changeThread(threadId: string, change: ThreadChange): Promise<ThreadSummary> {
    return this.api.json(threadPath(threadId), { method: 'PATCH', body: change });
  }

  /** A thread with a page of its messages, along one branch. @throws ChatError NOT_FOUND */
  thread(threadId: string, { signal, ...query }: ThreadQuery = {}): Promise<ThreadPage> {
    return this.api.json(threadPath(threadId), { query, signal });
  }

  /** Removes a thread and all that was said in it. @throws ChatError NOT_FOUND */
  deleteThread(threadId: string): Promise<void> {
    return this.api.json(threadPath(threadId), { method: 'DELETE' });
  }

  /** The agents that the caller may use. */
  agents({ signal }: { readonly signal?: AbortSignal } = {}): Promise<AgentList> {
    return this.api.json('/agents', { signal });
  }

  /** Returns the principal of this client as the server sees it; `principal` is null if the client is not signed in. */
  session({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Session> {
    return this.api.json(SESSION_PATH, { signal });
  }

  /** Trades a token for a cookie that scripts cannot read. @throws ChatError UNAUTHENTICATED */
  signIn(token: string): Promise<Session> {
    return this.api.json(SESSION_PATH, { method: 'POST', body: { token } });
  }

  /**
   * Returns the URL at which a browser signs in at an OpenID provider: for a link or the address bar. It comes back signed in, or with
   * `signIn` in the query, which says why not: `denied`, `expired`, `unavailable`, `claims` or `failed`.
   *
   * @param returnTo path of the page to come back to, with its query. Default: the page of the server
   */
  signInUrl(returnTo?: string): string {
    return this.api.url(`${SESSION_PATH}/oidc`, { returnTo });
  }

  /**
   * Ends this session and removes its cookie. If the session was begun at a provider that has a sign-out, the result has its URL: send the
   * browser there to end the session at the provider as well.
   *
   * @param options `everywhere`: ends all sessions of the user, in every browser. Default false
   */
  signOut({ everywhere = false }: { readonly everywhere?: boolean } = {}): Promise<SignedOut | undefined> {
    return this.api.json(everywhere ? `${SESSION_PATH}/all` : SESSION_PATH, { method: 'DELETE' });
  }
}

function readName(file: Blob): string | undefined {
  return 'name' in file && typeof file.name === 'string' ? file.name : undefined;
}
