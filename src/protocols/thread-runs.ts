import { Injectable, Logger } from '@nestjs/common';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { validate } from '../http/validate.js';
import { SseStreams } from '../http/sse-streams.js';
import { rawResponse, type WebRequest, type WebResponse } from '../http/http.types.js';
import type { Principal } from '../principal.js';
import type { Run } from '../runs/run.js';
import { RunService, type StartRunRequest } from '../runs/run.service.js';
import { RunStore } from '../runs/run.store.js';
import { ThreadService, type ThreadMessage } from '../runs/thread.service.js';
import { FileAddresses } from '../streams/file-addresses.js';
import type { GivenFile } from '../streams/given-files.js';
import { idSchema, messageSchema, readIdempotencyKey } from '../streams/start-run.schemas.js';

/** A start in our terms, made from another protocol's request. */
export type ProtocolStart = Pick<
  StartRunRequest,
  | 'message'
  | 'historyBytes'
  | 'threadId'
  | 'createThread'
  | 'agent'
  | 'metadata'
  | 'input'
  | 'dropsUnknownKeys'
  | 'isWithoutMessage'
  | 'context'
  | 'configurable'
  | 'recursionLimit'
  | 'interruptBefore'
  | 'interruptAfter'
  | 'stateChange'
  | 'fromCheckpoint'
  | 'clientTools'
  | 'delayMs'
  | 'whenBusy'
  | 'parentRunId'
  | 'replaces'
> & {
  /** The files of the message. Absent with {@link StartRunRequest.replaces}: those of that run. */
  readonly files?: readonly GivenFile[];
};

/**
 * Runs as protocols know them that speak of conversations: the client mints the thread's id, and the run that matters is the
 * one that goes on.
 */
@Injectable()
export class ThreadRuns {
  private readonly logger = new Logger(ThreadRuns.name);

  constructor(
    private readonly runs: RunService,
    private readonly threads: ThreadService,
    private readonly store: RunStore,
    private readonly streams: SseStreams,
    private readonly addresses: FileAddresses,
  ) {}

  /**
   * Starts a run for the sender of this request; its `Idempotency-Key` counts, as in the native API. A thread that the principal does
   * not have yet is created, even if other owners have one of that id, unless `createThread` is false.
   *
   * @throws AppError REQUEST_INVALID, and what {@link RunService.start} refuses
   */
  async start(request: WebRequest, { message, threadId, files, ...asked }: ProtocolStart): Promise<Run> {
    return this.runs.start({
      principal: getAuthentication(request).principal,
      message: isAsked({ ...asked, files }, message) ? '' : validate(messageSchema, message, 'message'),
      ...(files && { files: this.addresses.toMessageFiles(files) }),
      ...(threadId !== undefined && { threadId: validate(idSchema, threadId, 'thread id') }),
      createThread: true,
      ...asked,
      ...readIdempotencyKey(request),
    });
  }

  /** The thread's run that has not ended. Undefined when there is none, or no such thread of this principal's. */
  async active(principal: Principal, threadId: string): Promise<Run | undefined> {
    const thread = await unlessUnknown(this.threads.get(principal, threadId));
    const runId = thread?.activeRunId;
    return runId === undefined ? undefined : unlessUnknown(this.runs.get(principal, runId));
  }

  /** The thread's last run, however it stands. Undefined when there is none, or no such thread of this principal's. */
  async last(principal: Principal, threadId: string): Promise<Run | undefined> {
    const { items } = await this.store.listRuns(principal, threadId, { limit: 1 });
    return items[0];
  }

  /**
   * Lists the messages of the thread: its last hundred questions and their answers. Nothing when there is no such thread of this
   * principal's.
   */
  async listRunsWithMessage(principal: Principal, threadId: string): Promise<readonly ThreadMessage[]> {
    const page = await unlessUnknown(this.threads.messages(principal, threadId, { limit: 100 }));
    return page?.items ?? [];
  }

  /**
   * Stops the thread's run, and returns it as it then stands; undefined when nothing goes on. Harmless when repeated.
   *
   * @throws AppError NOT_FOUND for a thread that does not exist or is another principal's
   */
  async stop(principal: Principal, threadId: string): Promise<Run | undefined> {
    const { activeRunId } = await this.threads.get(principal, threadId);
    return activeRunId === undefined ? undefined : this.runs.cancel(principal, activeRunId);
  }

  /**
   * The run ends with its client's connection, because the client cannot come back for it, or has said so. A connection that this
   * process ends, because it is about to stop, ends no run. A client may also have left by now, while the run was stored.
   */
  stopWithClient(run: Run, response: WebResponse): void {
    const client = rawResponse(response);
    const stop = () => {
      if (client.writableFinished || this.streams.draining) return;
      this.runs.cancel(run.principal, run.id).catch((error: unknown) => {
        this.logger.warn(
          { err: error, runId: run.id },
          'The client of a run left, but the run could not be cancelled and goes on.',
        );
      });
    };
    if (client.closed) stop();
    else client.once('close', stop);
  }
}

/** True for a start that repeats the message of the run that it replaces, and for a message of files alone. */
function isAsked(
  {
    replaces,
    files,
  }: { readonly replaces?: string | undefined; readonly files?: readonly GivenFile[] | undefined },
  message: string,
): boolean {
  return files?.length ? message.trim() === '' : replaces !== undefined && message === '';
}

/** Clients ask for threads that they have just thought of. */
async function unlessUnknown<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
