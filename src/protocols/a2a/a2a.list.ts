import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../../errors.js';
import { isDecided } from '../../events/approval.js';
import type { Principal } from '../../principal.js';
import type { Run } from '../../runs/run.js';
import { RunStore, type Page } from '../../runs/run.store.js';
import { ThreadService } from '../../runs/thread.service.js';
import type { A2aTask } from './a2a.events.js';
import { optionalId } from './a2a.input.js';
import { stateOf, statusOf } from './a2a.states.js';
import { A2aTasks } from './a2a.tasks.js';

/** What `ListTasks` takes. The SDK writes every field; empty is absent. */
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

/** How many reads of the storage a page may take: where a filter finds little, a page may be short, or empty, and not the last. */
const READS_PER_PAGE = 100;

/** Where a page begins: behind which threads, and behind which runs of the thread that is being listed. */
const placeSchema = z.object({
  threads: z.string().optional(),
  threadId: z.string().optional(),
  runs: z.string().optional(),
});
type Place = z.output<typeof placeSchema>;

/** The tasks of a principal: context by context, the one that changed last first; of each the newest task first. */
@Injectable()
export class A2aTaskLists {
  constructor(
    private readonly store: RunStore,
    private readonly threads: ThreadService,
    private readonly tasks: A2aTasks,
  ) {}

  /** @throws AppError REQUEST_INVALID for a page token that was not given here */
  async list(principal: Principal, asked: ListTasks): Promise<TaskList> {
    const { pageSize, pageToken, contextId } = asked;
    const tasks: A2aTask[] = [];
    let place: Place | undefined = pageToken
      ? placeOf(pageToken)
      : { ...(contextId && { threadId: contextId }) };
    for (let reads = 0; place && reads < READS_PER_PAGE && tasks.length < pageSize; reads++) {
      const { runs, next } = await this.read(principal, place, pageSize - tasks.length);
      for (const run of runs) if (isWanted(run, asked)) tasks.push(await this.taskOf(run, asked));
      place = next;
    }
    const isWhole = !pageToken && !place;
    return {
      tasks,
      nextPageToken: place ? tokenOf(place) : '',
      pageSize,
      ...(isWhole && { totalSize: tasks.length }),
    };
  }

  /** Some of what comes next, and where it goes on; nowhere behind the last. */
  private async read(
    principal: Principal,
    { threads, threadId, runs: cursor }: Place,
    limit: number,
  ): Promise<{ runs: readonly Run[]; next: Place | undefined }> {
    if (threadId === undefined) {
      const { items, nextCursor } = await this.store.listThreads(principal, pageFrom(threads, 1));
      const next = items[0] && { threadId: items[0].id, ...(nextCursor && { threads: nextCursor }) };
      return { runs: [], next };
    }
    const { items, nextCursor } = await this.runsIn(principal, threadId, cursor, limit);
    const others = threads === undefined ? undefined : { threads };
    return { runs: items, next: nextCursor ? { ...others, threadId, runs: nextCursor } : others };
  }

  /** None for a context that is nobody's, or somebody else's. */
  private async runsIn(
    principal: Principal,
    threadId: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<Run>> {
    try {
      await this.threads.get(principal, threadId);
      return await this.store.listRuns(threadId, pageFrom(cursor, limit));
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return { items: [] };
      throw error;
    }
  }

  private async taskOf(run: Run, { includeArtifacts, historyLength }: ListTasks): Promise<A2aTask> {
    const task = includeArtifacts ? await this.tasks.read(run) : await this.tasks.summary(run);
    return historyLength === 0 ? { ...task, history: [] } : task;
  }
}

function pageFrom(cursor: string | undefined, limit: number) {
  return { limit, ...(cursor !== undefined && { cursor }) };
}

function isWanted(run: Run, { status, statusTimestampAfter }: ListTasks): boolean {
  // A task is listed by the run that it is at, and has gone on from this one.
  if (run.approvals && isDecided(run.approvals)) return false;
  if (status !== undefined && stateOf(run.status) !== status) return false;
  if (statusTimestampAfter === undefined) return true;
  return Date.parse(statusOf(run).timestamp) >= Date.parse(statusTimestampAfter);
}

function tokenOf(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeOf(token: string): Place {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw new AppError(
      'REQUEST_INVALID',
      'pageToken: This token was not given here. List from the first page.',
    );
  }
}
