import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../../errors.js';
import { isDecided } from '../../events/requested-input.js';
import type { Principal } from '../../principal.js';
import type { Run } from '../../runs/run.js';
import { RunStore, type Page } from '../../runs/run.store.js';
import { ThreadService } from '../../runs/thread.service.js';
import type { A2aTask } from './a2a-events.js';
import { optionalId } from './a2a-input.js';
import { toA2aState, toA2aStatus } from './a2a-states.js';
import { A2aTasks } from './a2a-tasks.js';

/** Parameters of `ListTasks`. The SDK writes every field; empty is absent. */
export const listSchema = z.looseObject({
  contextId: optionalId,
  status: z.string().optional(),
  pageSize: z.int().min(1).max(100).default(50),
  pageToken: z.string().optional(),
  historyLength: z.int().min(0).optional(),
  statusTimestampAfter: z.iso.datetime({ offset: true }).optional(),
  includeArtifacts: z.boolean().default(false),
});
export type ListTasks = z.output<typeof listSchema>;

export interface TaskList {
  readonly tasks: readonly A2aTask[];
  /** Empty behind the last page. */
  readonly nextPageToken: string;
  readonly pageSize: number;
  /** Only of a list that is one page: to count the others, all of their runs would have to be read. */
  readonly totalSize?: number;
}

/** Maximum number of storage reads for a page. If a filter finds little, a page may be short or even empty without being the last. */
const READS_PER_PAGE = 100;

/** Roughly the bytes of a page; more only by its last task. */
const PAGE_BYTES = 1024 * 1024;

/** Start of a page: the last thread that was listed, and the last run of the thread that is being listed. */
const placeSchema = z.object({
  threads: z.string().optional(),
  threadId: z.string().optional(),
  runs: z.string().optional(),
});
type PageCursor = z.output<typeof placeSchema>;

/** The tasks of a principal: context by context, the one that changed last first; of each the newest task first. */
@Injectable()
export class A2aTaskLists {
  constructor(
    private readonly store: RunStore,
    private readonly threads: ThreadService,
    private readonly tasks: A2aTasks,
  ) {}

  /** @throws AppError REQUEST_INVALID for a page token that was not given here */
  async list(principal: Principal, query: ListTasks): Promise<TaskList> {
    const { pageSize, pageToken, contextId } = query;
    const tasks: A2aTask[] = [];
    let cursor: PageCursor | undefined = pageToken
      ? parsePageToken(pageToken)
      : { ...(contextId && { threadId: contextId }) };
    let room = PAGE_BYTES;
    for (let reads = 0; cursor && reads < READS_PER_PAGE && tasks.length < pageSize && room > 0; reads++) {
      // With what was said in it, a task may be as large as a log: then the page may end behind each.
      const limit = query.includeArtifacts ? 1 : pageSize - tasks.length;
      const { runs, next } = await this.read(principal, cursor, limit);
      for (const run of runs) {
        if (!isWanted(run, query)) continue;
        const task = await this.toTask(run, query);
        room -= JSON.stringify(task).length;
        tasks.push(task);
      }
      cursor = next;
    }
    const isFirstPage = !pageToken && !cursor;
    return {
      tasks,
      nextPageToken: cursor ? formatPageToken(cursor) : '',
      pageSize,
      ...(isFirstPage && { totalSize: tasks.length }),
    };
  }

  /** Some of what comes next, and where it goes on; nowhere behind the last. */
  private async read(
    principal: Principal,
    { threads, threadId, runs: cursor }: PageCursor,
    limit: number,
  ): Promise<{ runs: readonly Run[]; next: PageCursor | undefined }> {
    if (threadId === undefined) {
      const { items, nextCursor } = await this.store.listThreads(principal, pageFrom(threads, 1));
      const next = items[0] && { threadId: items[0].id, ...(nextCursor && { threads: nextCursor }) };
      return { runs: [], next };
    }
    const { items, nextCursor } = await this.listContextRuns(principal, threadId, cursor, limit);
    const others = threads === undefined ? undefined : { threads };
    return { runs: items, next: nextCursor ? { ...others, threadId, runs: nextCursor } : others };
  }

  /** None for a context that does not exist, or has another owner. */
  private async listContextRuns(
    principal: Principal,
    threadId: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<Run>> {
    try {
      await this.threads.get(principal, threadId);
      return await this.store.listRuns(principal, threadId, pageFrom(cursor, limit));
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return { items: [] };
      throw error;
    }
  }

  private async toTask(run: Run, { includeArtifacts, historyLength }: ListTasks): Promise<A2aTask> {
    const task = includeArtifacts ? await this.tasks.read(run) : await this.tasks.summary(run);
    return historyLength === 0 ? { ...task, history: [] } : task;
  }
}

function pageFrom(cursor: string | undefined, limit: number) {
  return { limit, ...(cursor !== undefined && { cursor }) };
}

function isWanted(run: Run, { status, statusTimestampAfter }: ListTasks): boolean {
  // A task is listed by the run that it is at, and has gone on from this one.
  if (run.inputs && isDecided(run.inputs)) return false;
  if (status !== undefined && toA2aState(run.status) !== status) return false;
  if (statusTimestampAfter === undefined) return true;
  return Date.parse(toA2aStatus(run).timestamp) >= Date.parse(statusTimestampAfter);
}

function formatPageToken(cursor: PageCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function parsePageToken(token: string): PageCursor {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw new AppError('REQUEST_INVALID', 'pageToken: This token is not valid. Start from the first page.');
  }
}
