import { Injectable } from '@nestjs/common';
import { lastValueFrom, map, takeUntil, timer } from 'rxjs';
import { AppError, MissingError } from '../errors.js';
import type { PlacedFile } from '../events/message-part.js';
import { weighEvent } from '../events/event-weight.js';
import { getText, withDecisions, type RunView } from '../events/run-view.js';
import type { RequestedInput } from '../events/requested-input.js';
import type { Principal } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';
import { BranchPages, type BranchPage } from './branch-pages.js';
import { applyToCut, beginCut } from './cut-view.js';
import { deleteRun } from './run-deletion.js';
import { EventLog } from './event-log.js';
import type { Feedback } from './feedback.js';
import { toTitle, type Run, type Thread, type ThreadChange, type ThreadFacts } from './run.js';
import { newId } from './run-ids.js';
import { RunStore, type Page, type PageRequest, type ThreadListRequest } from './run.store.js';
import { RunService } from './run.service.js';
import { RunFeed } from './run.feed.js';
import { foldLog } from './read-log.js';
import { parseSearch } from './search-words.js';
import { MOST_FOUND_THREADS, type ThreadMatch } from './thread-search.js';

/**
 * A message of a thread, in one of its branches. `versions`: the runs that took this turn, with the message's own, the oldest first; absent if there
 * is only one. An assistant's message is folded from its run's log, so it is what every viewer saw. */
export type ThreadMessage =
  | {
      readonly role: 'user';
      readonly id: string;
      readonly runId: string;
      readonly createdAt: number;
      readonly text: string;
      /** Absent: none. */
      readonly files?: readonly PlacedFile[];
      readonly versions?: readonly string[];
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
      readonly versions?: readonly string[];
      readonly feedback?: Feedback;
    };

/** Roughly the bytes of a page of messages; more only when a single answer is larger. */
const PAGE_BYTES = 1024 * 1024;

/** Runs that are read side by side. */
const RUNS_AT_A_TIME = 4;

/** Maximum wait of a thread's deletion for the end of its last run, in milliseconds. */
const END_WAIT_MS = 5_000;

/** Bytes of JSON that a thread's metadata may take, with all that was added to it. A single change has a limit of its own. */
const METADATA_BYTES = 64 * 1024;

/** Something that is waited for, and by which run. */
export type OpenInput = RequestedInput & { readonly runId: string };

/** The same, with the thread that waits for it. */
export type InboxItem = OpenInput & { readonly thread: Pick<Thread, 'id' | 'title'> };

/** The conversations of a principal. Threads of other owners are NOT_FOUND. */
@Injectable()
export class ThreadService {
  private readonly branches: BranchPages;

  constructor(
    private readonly runs: RunStore,
    private readonly log: EventLog,
    private readonly service: RunService,
    private readonly feed: RunFeed,
    private readonly security: SecurityLog = new SecurityLog(),
  ) {
    this.branches = new BranchPages(runs);
  }

  list(principal: Principal, page: ThreadListRequest): Promise<Page<Thread>> {
    return this.runs.listThreads(principal, page);
  }

  /** Finds threads by what was said in them, and by titles that were given, latest change first. Nothing if the search has no letter. */
  async search(
    principal: Principal,
    { search, ...page }: ThreadListRequest & { readonly search: string },
  ): Promise<Page<ThreadMatch>> {
    const terms = parseSearch(search);
    if (terms.length === 0) return { items: [] };
    const limit = Math.min(page.limit, MOST_FOUND_THREADS);
    return this.runs.searchThreads(principal, { ...page, limit, terms });
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, threadId: string): Promise<Thread> {
    return orNotFound(await this.runs.getThread(principal, threadId), threadId);
  }

  /**
   * Stores a thread before its first run. One that the principal has already stays as it is. A new one costs a start of the principal's budget.
   *
   * @param threadId absent: one is minted
   * @throws AppError RATE_LIMITED
   */
  async create(
    principal: Principal,
    { threadId, ...facts }: ThreadFacts & { readonly threadId?: string },
  ): ReturnType<RunStore['createThread']> {
    const giveBack = await this.service.charge(principal);
    const { tenant, userId } = principal;
    const key = newId();
    const owner = { tenant, userId };
    const result = await this.runs.createThread({ ...facts, id: threadId ?? key, owner, key });
    if (result.outcome === 'existing') giveBack();
    return result;
  }

  /**
   * Renames, pins or archives a thread, changes its metadata or its lifetime, or marks it as read.
   *
   * @throws AppError NOT_FOUND, or REQUEST_INVALID if its metadata would grow too large
   */
  async change(principal: Principal, threadId: string, change: ThreadChange): Promise<Thread> {
    const { title, ...marks } = change;
    if (marks.metadata) checkSize({ ...(await this.get(principal, threadId)).metadata, ...marks.metadata });
    const stored = { ...marks, ...(title !== undefined && { title: toTitle(title) }) };
    return orNotFound(await this.runs.changeThread(principal, threadId, stored), threadId);
  }

  /** Lists the inputs that the principal's threads wait for, from the thread that changed last to the first. */
  async inbox(principal: Principal, page: PageRequest): Promise<Page<InboxItem>> {
    const { items, nextCursor } = await this.list(principal, { ...page, waiting: true });
    const inputs: InboxItem[] = [];
    for (let index = 0; index < items.length; index += RUNS_AT_A_TIME) {
      const next = items.slice(index, index + RUNS_AT_A_TIME);
      const open = await Promise.all(next.map(({ id }) => this.openInputs(principal, id)));
      for (const [place, { id, title }] of next.entries())
        inputs.push(...(open[place] ?? []).map((input) => ({ ...input, thread: { id, title } })));
    }
    return { items: inputs, ...(nextCursor && { nextCursor }) };
  }

  /**
   * A page of what was said, counted in runs: a question and its answer come together. The first page is the newest;
   * within a page the oldest comes first. It ends early, with a `nextCursor`, before it is larger than about a MiB; at least one
   * question is in it with its answer.
   *
   * @param page `through`: a run; reads the newest branch that contains it. Default: the branch of the newest run
   * @throws AppError NOT_FOUND
   */
  async messages(
    principal: Principal,
    threadId: string,
    page: PageRequest & { readonly through?: string | undefined },
  ): Promise<Page<ThreadMessage>> {
    const thread = await this.get(principal, threadId);
    const branch = await this.branches.read(principal, thread, page);
    const { items: runs, nextCursor } = branch;
    const runMessages: ThreadMessage[][] = [];
    let room = PAGE_BYTES;
    while (runMessages.length < runs.length) {
      const next = runs.slice(runMessages.length, runMessages.length + RUNS_AT_A_TIME);
      const isFirst = runMessages.length === 0;
      const read = await Promise.all(
        next.map((run, index) => this.toMessages(run, isFirst && index === 0 ? Infinity : room, branch)),
      );
      for (const one of read) {
        room -= one?.bytes ?? Infinity;
        if (!one || (room < 0 && runMessages.length > 0)) {
          const last = runs[runMessages.length - 1];
          const cursor = last && (await branch.cursorBehind(last, runMessages.length));
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

  /**
   * Ends a run, if it goes on, and removes it: what was said in it, its files, and what its agent remembers of it. The runs that it continues after
   * answers go with it.
   *
   * @throws AppError NOT_FOUND; RUN_FOLLOWED if another run continues from it; THREAD_BUSY when it does not end in time
   */
  async deleteRun(principal: Principal, runId: string): Promise<void> {
    for (;;) {
      const run = await this.service.get(principal, runId);
      const result = await deleteRun(run, { runs: this.runs, log: this.log });
      if (result.outcome === 'followed')
        throw new AppError(
          'RUN_FOLLOWED',
          `Run '${result.runId}' continues from run '${runId}' and knows what was said in it. Delete that one first, or the thread.`,
          { details: { runId: result.runId } },
        );
      if (result.outcome !== 'unended') {
        this.security.record({ type: 'deletion', principal, threadId: run.threadId, runId });
        return;
      }
      const { lastSeq } = await this.service.cancel(principal, runId);
      await this.waitForEnd(runId, lastSeq, run.threadId);
    }
  }

  /** Undefined when the run has said more than `maxBytes`. What it said after the state from which its branch goes on is not among its messages. */
  private async toMessages(
    run: Run,
    maxBytes: number,
    branch: BranchPage,
  ): Promise<{ readonly messages: ThreadMessage[]; readonly bytes: number } | undefined> {
    const { id: runId, messageId, createdAt, message, given, resumeOf, inputs = [], feedback } = run;
    const place = branch.findPlaceIn(run);
    const folded = await foldLog(this.log, runId, {
      begin: () => ({ ...beginCut(runId), bytes: 0 }),
      apply: ({ bytes, ...fold }, recorded) => ({
        ...applyToCut(fold, recorded, place),
        bytes: bytes + weighEvent(recorded.event),
      }),
      maxBytes,
    });
    if (!folded) return undefined;
    const view = withDecisions(folded.cut ?? folded.view, inputs);
    const versions = branch.findVersions(run);
    const turn = { runId, createdAt, ...(versions && { versions }) };
    const judged = feedback && { feedback };
    const answer = {
      role: 'assistant',
      id: messageId,
      ...turn,
      text: getText(view),
      view,
      ...judged,
    } as const;
    const bytes = folded.bytes + message.length;
    if (resumeOf !== undefined) return { messages: [{ ...answer, resumeOf }], bytes };
    // Its message is only a text for lists.
    if (given?.stateChange) return { messages: [answer], bytes };
    const id = `${messageId}-user`;
    const files = given?.files && { files: given.files };
    const question = { role: 'user', id, ...turn, text: message, ...files } as const;
    return { messages: [question, answer], bytes };
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

function checkSize(metadata: Thread['metadata']): void {
  if (JSON.stringify(metadata).length <= METADATA_BYTES) return;
  throw new AppError(
    'REQUEST_INVALID',
    `metadata: The metadata of a thread may take at most ${METADATA_BYTES} bytes of JSON. Use fewer or shorter values.`,
  );
}

function orNotFound(thread: Thread | undefined, threadId: string): Thread {
  if (!thread) throw new MissingError('thread', threadId);
  return thread;
}
