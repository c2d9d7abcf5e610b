import { Injectable } from '@nestjs/common';
import { lastValueFrom, map, takeUntil, timer } from 'rxjs';
import { AppError } from '../errors.js';
import { foldRun, textOf, withDecisions, type RunView } from '../events/run-view.js';
import type { Principal } from '../principal.js';
import { EventLog } from './event.log.js';
import { belongsTo, type Run, type Thread } from './run.js';
import { RunStore, type Page, type PageRequest } from './run.store.js';
import { RunService } from './run.service.js';
import { RunFeed } from './run.feed.js';
import { readWholeLog } from './whole.log.js';

/** What was said in a thread. An assistant's message is folded from its run's log, so it is what every viewer saw. */
export type ThreadMessage =
  | {
      readonly role: 'user';
      readonly id: string;
      readonly runId: string;
      readonly createdAt: number;
      readonly text: string;
    }
  | {
      readonly role: 'assistant';
      readonly id: string;
      readonly runId: string;
      readonly createdAt: number;
      readonly text: string;
      readonly view: RunView;
      /** The run whose answer this one goes on with, after an approval: both are one message, of the same id. */
      readonly resumeOf?: string;
    };

/** Removes what LangGraph remembers of a thread. The agents' memory lives beside the storage; this is all of it we touch. */
export abstract class ThreadMemory {
  abstract forget(threadId: string): Promise<void>;
}

/** How long the deletion of a thread waits for its last run to end. */
const END_WAIT_MS = 5_000;

/** The conversations of a principal. A thread of somebody else does not exist. */
@Injectable()
export class ThreadService {
  constructor(
    private readonly runs: RunStore,
    private readonly log: EventLog,
    private readonly service: RunService,
    private readonly feed: RunFeed,
    private readonly memory: ThreadMemory,
  ) {}

  list(principal: Principal, page: PageRequest): Promise<Page<Thread>> {
    return this.runs.listThreads(principal, page);
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, threadId: string): Promise<Thread> {
    const thread = await this.runs.getThread(threadId);
    if (!thread || !belongsTo(thread.owner, principal)) {
      throw new AppError('NOT_FOUND', `There is no thread '${threadId}'.`);
    }
    return thread;
  }

  /**
   * A page of what was said, counted in runs: a question and its answer come together. The first page is the newest;
   * within a page the oldest comes first.
   *
   * @throws AppError NOT_FOUND
   */
  async messages(principal: Principal, threadId: string, page: PageRequest): Promise<Page<ThreadMessage>> {
    await this.get(principal, threadId);
    const { items, nextCursor } = await this.runs.listRuns(threadId, page);
    const messages = await Promise.all(items.toReversed().map((run) => this.messagesOf(run)));
    return { items: messages.flat(), ...(nextCursor && { nextCursor }) };
  }

  /**
   * Ends the thread's run, if one goes on, and removes the thread with all that was said in it.
   *
   * @throws AppError NOT_FOUND; THREAD_BUSY when the run does not end in time
   */
  async delete(principal: Principal, threadId: string): Promise<void> {
    for (;;) {
      const { activeRunId } = await this.get(principal, threadId);
      if (!activeRunId) break;
      const { lastSeq } = await this.service.cancel(principal, activeRunId);
      await this.endOf(activeRunId, lastSeq, threadId);
    }
    await this.runs.deleteThread(threadId);
    await this.memory.forget(threadId);
  }

  private async messagesOf(run: Run): Promise<ThreadMessage[]> {
    const { id: runId, messageId, createdAt, message, resumeOf, approvals = [] } = run;
    const view = withDecisions(foldRun(runId, await readWholeLog(this.log, runId)), approvals);
    const answer = { role: 'assistant', id: messageId, runId, createdAt, text: textOf(view), view } as const;
    if (resumeOf !== undefined) return [{ ...answer, resumeOf }];
    return [{ role: 'user', id: `${messageId}-user`, runId, createdAt, text: message }, answer];
  }

  private async endOf(runId: string, afterSeq: number, threadId: string): Promise<void> {
    const tooLate = timer(END_WAIT_MS).pipe(
      map(() => {
        throw new AppError('THREAD_BUSY', `Thread '${threadId}' still has a run. Try again in a moment.`, {
          retryable: true,
          details: { runId },
        });
      }),
    );
    const events = this.feed.follow({ runId, afterSeq });
    await lastValueFrom(events.pipe(takeUntil(tooLate)), { defaultValue: undefined });
  }
}
