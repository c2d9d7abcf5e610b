import type { ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { authOf } from '../auth/authentication.js';
import { idempotencyKeySchema, idSchema, startRunSchema } from '../chat/dto/start-run.dto.js';
import { AppError } from '../errors.js';
import { validate } from '../http/validate.js';
import { SseStreams } from '../http/sse.streams.js';
import type { WebRequest } from '../http/web.exchange.js';
import type { Principal } from '../principal.js';
import { belongsTo, type Run } from '../runs/run.js';
import { RunService, type StartRun } from '../runs/run.service.js';
import { RunStore } from '../runs/run.store.js';
import { ThreadService, type ThreadMessage } from '../runs/thread.service.js';

/** What is asked in another protocol's words, once these are ours. */
export type ProtocolStart = Pick<StartRun, 'message' | 'historyBytes' | 'threadId' | 'agent' | 'metadata'>;

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
  ) {}

  /**
   * Starts a run for whoever sends this request; its `Idempotency-Key` counts, as in the native API. A thread that does not
   * exist yet is made.
   *
   * @throws AppError REQUEST_INVALID, and what {@link RunService.start} refuses: NOT_FOUND also for a thread of another principal
   */
  start(request: WebRequest, { message, threadId, ...asked }: ProtocolStart): Promise<Run> {
    const key = request.headers['idempotency-key'];
    return this.runs.start({
      principal: authOf(request).principal,
      message: validate(startRunSchema.shape.message, message, 'message'),
      ...(threadId !== undefined && { threadId: validate(idSchema, threadId, 'thread id') }),
      createThread: true,
      ...asked,
      ...(key !== undefined && { idempotencyKey: validate(idempotencyKeySchema, key, 'Idempotency-Key') }),
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
    const { items } = await this.store.listRuns(threadId, { limit: 1 });
    return items.find((run) => belongsTo(run.principal, principal));
  }

  /** What was said in the thread: its last hundred questions and their answers. Nothing when there is no such thread of this principal's. */
  async said(principal: Principal, threadId: string): Promise<readonly ThreadMessage[]> {
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
   * The run ends with the connection of whoever asked: nobody can come back for it, or the client has said so. A connection that this
   * process ends, because it is about to stop, ends no run.
   */
  stopWithClient(run: Run, client: ServerResponse): void {
    client.once('close', () => {
      if (client.writableFinished || this.streams.draining) return;
      this.runs.cancel(run.principal, run.id).catch((error: unknown) => {
        this.logger.warn({ err: error, runId: run.id }, 'A run goes on whose client has left.');
      });
    });
  }
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
