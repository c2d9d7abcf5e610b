import { Injectable } from '@nestjs/common';
import { lastValueFrom, map, takeUntil, timer } from 'rxjs';
import { AppError } from '../errors.js';
import { weighEvent } from '../events/event-weight.js';
import { applyEvent, emptyView, getText, withDecisions, type RunView } from '../events/run-view.js';
import type { RequestedInput } from '../events/requested-input.js';
import type { Principal } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';
import { EventLog } from './event-log.js';
import type { Run, Thread } from './run.js';
import { RunStore, type Page, type PageRequest } from './run.store.js';
import { RunService } from './run.service.js';
import { RunFeed } from './run.feed.js';
import { foldLog } from './read-log.js';

/** A message of a thread. An assistant's message is folded from its run's log, so it is what every viewer saw. */
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

/** Roughly the bytes of a page of messages; more only when a single answer is larger. */
const PAGE_BYTES = 1024 * 1024;

/** Logs that are read side by side. */
const RUNS_AT_A_TIME = 4;

/** Runs that may be started while a page is read. */
const MOST_MOVED = 20;

/** Maximum wait of a thread's deletion for the end of its last run, in milliseconds. */
const END_WAIT_MS = 5_000;

/** The conversations of a principal. A thread of somebody else does not exist. */
/** Something that is waited for, and by which run. */
export type OpenInput = RequestedInput & { readonly runId: string };

@Injectable()
export class ThreadService {
  constructor(
    private readonly runs: RunStore,
    private readonly log: EventLog,
    private readonly service: RunService,
    private readonly feed: RunFeed,
    private readonly security: SecurityLog = new SecurityLog(),
  ) {}

  list(principal: Principal, page: PageRequest): Promise<Page<Thread>> {
    return this.runs.listThreads(principal, page);
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, threadId: string): Promise<Thread> {
    const thread = await this.runs.getThread(principal, threadId);
    if (!thread) throw new AppError('NOT_FOUND', `There is no thread '${threadId}'.`);
    return thread;
  }

  /**
   * A page of what was said, counted in runs: a question and its answer come together. The first page is the newest;
   * within a page the oldest comes first. It ends early, with a `nextCursor`, before it is larger than about a MiB; at least one
   * question is in it with its answer.
   *
   * @throws AppError NOT_FOUND
   */
  async messages(principal: Principal, threadId: string, page: PageRequest): Promise<Page<ThreadMessage>> {
    await this.get(principal, threadId);
    const { items: runs, nextCursor } = await this.runs.listRuns(principal, threadId, page);
    const runMessages: ThreadMessage[][] = [];
    let room = PAGE_BYTES;
    while (runMessages.length < runs.length) {
      const next = runs.slice(runMessages.length, runMessages.length + RUNS_AT_A_TIME);
      const isFirst = runMessages.length === 0;
      const read = await Promise.all(
        next.map((run, index) => this.toMessages(run, isFirst && index === 0 ? Infinity : room)),
      );
      for (const one of read) {
        room -= one?.bytes ?? Infinity;
        if (!one || (room < 0 && runMessages.length > 0)) {
          const last = runs[runMessages.length - 1];
          const cursor = last && (await this.cursorBehind(last, page, runMessages.length));
          return { items: runMessages.toReversed().flat(), ...(cursor && { nextCursor: cursor }) };
        }
        runMessages.push(one.messages);
      }
    }
    return { items: runMessages.toReversed().flat(), ...(nextCursor && { nextCursor }) };
  }

  /** Lists the inputs that the thread waits for, each with the run that asked. Nothing once something came later. */
  async openInputs(principal: Principal, threadId: string): Promise<readonly OpenInput[]> {
    const { items } = await this.runs.listRuns(principal, threadId, { limit: 1 });
    const [run] = items;
    if (run?.status !== 'awaiting-input') return [];
    return (run.inputs ?? []).flatMap((asked) => (asked.answer ? [] : [{ ...asked, runId: run.id }]));
  }

  /**
   * Ends the thread's run, if one goes on, and removes the thread with all that was said in it and all that its agents remember of it.
   *
   * @throws AppError NOT_FOUND; THREAD_BUSY when the run does not end in time
   */
  async delete(principal: Principal, threadId: string): Promise<void> {
    for (;;) {
      const { activeRunId } = await this.get(principal, threadId);
      if (!activeRunId) break;
      const { lastSeq } = await this.service.cancel(principal, activeRunId);
      await this.waitForEnd(activeRunId, lastSeq, threadId);
    }
    await this.runs.deleteThread(principal, threadId);
    this.security.record({ type: 'deletion', principal, threadId });
  }

  /** Undefined when the run has said more than `maxBytes`. */
  private async toMessages(
    run: Run,
    maxBytes: number,
  ): Promise<{ readonly messages: ThreadMessage[]; readonly bytes: number } | undefined> {
    const { id: runId, messageId, createdAt, message, resumeOf, inputs = [] } = run;
    const folded = await foldLog(this.log, runId, {
      begin: () => ({ view: emptyView(runId), bytes: 0 }),
      apply: ({ view, bytes }, recorded) => ({
        view: applyEvent(view, recorded),
        bytes: bytes + weighEvent(recorded.event),
      }),
      maxBytes,
    });
    if (!folded) return undefined;
    const view = withDecisions(folded.view, inputs);
    const answer = { role: 'assistant', id: messageId, runId, createdAt, text: getText(view), view } as const;
    const bytes = folded.bytes + message.length;
    if (resumeOf !== undefined) return { messages: [{ ...answer, resumeOf }], bytes };
    const question = { role: 'user', id: `${messageId}-user`, runId, createdAt, text: message } as const;
    return { messages: [question, answer], bytes };
  }

  /**
   * The cursor behind a run that is the last of so many on a page.
   *
   * Where the page is the first, runs may have come before it meanwhile, and the run has moved.
   */
  private async cursorBehind(
    { id, threadId, principal }: Run,
    { cursor }: PageRequest,
    count: number,
  ): Promise<string | undefined> {
    for (let limit = count; limit <= count + MOST_MOVED; limit += 1) {
      const pageRequest = { limit, ...(cursor !== undefined && { cursor }) };
      const page = await this.runs.listRuns(principal, threadId, pageRequest);
      if (page.items.at(-1)?.id === id) return page.nextCursor;
    }
    throw new AppError('THREAD_BUSY', `Thread '${threadId}' changes too fast to be read. Try again.`, {
      retryable: true,
    });
  }

  private async waitForEnd(runId: string, afterSeq: number, threadId: string): Promise<void> {
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
