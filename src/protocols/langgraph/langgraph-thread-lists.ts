import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { AppError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import type { Thread } from '../../runs/run.js';
import { ThreadService } from '../../runs/thread.service.js';
import { ThreadRuns } from '../thread-runs.js';
import { toThread, toThreadMetadata, toThreadStatus, type LangGraphThread } from './langgraph-resources.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { ValueSearch } from './value-search.js';
import type { countThreadsSchema, searchThreadsSchema } from './run-stream-input.js';

type ThreadFilter = z.output<typeof countThreadsSchema>;

/** Threads that a search or a count looks at, the last changed first. Older ones have to be asked for by their ids. */
const MOST_THREADS = 1_000;

/** States that a search by values reads. Each is a transcript of its thread. */
const MOST_STATES = 100;

/** Metadata that come from the last run of a thread. */
const FROM_LAST_RUN: ReadonlySet<string> = new Set(['graph_id', 'assistant_id']);

/** Roughly the bytes of a list of threads with their states; more only when a single one is larger. */
const LIST_BYTES = 4 * 1024 * 1024;

/** The threads of a principal, as LangGraph's clients search them. */
@Injectable()
export class LangGraphThreadLists {
  constructor(
    private readonly service: ThreadService,
    private readonly threads: LangGraphThreads,
    private readonly runs: ThreadRuns,
  ) {}

  /** Returns a page of threads, by default the last changed first. With their states there may be fewer than `limit`: a client goes on behind them. */
  async search(
    principal: Principal,
    {
      limit,
      offset,
      select,
      sort_by: by,
      sort_order: order,
      ...filter
    }: z.output<typeof searchThreadsSchema>,
  ): Promise<LangGraphThread[]> {
    const withValues = select?.includes('values') ?? true;
    const found: LangGraphThread[] = [];
    let place = 0;
    let bytes = 0;
    for await (const thread of inOrder(
      this.matching(principal, filter),
      by ?? 'updated_at',
      order ?? 'desc',
    )) {
      place += 1;
      if (place <= offset) continue;
      const one = withValues
        ? await this.threads.get(principal, thread.id)
        : toThread(thread, undefined, await this.runs.last(principal, thread.id));
      bytes += withValues ? JSON.stringify(one.values).length : 0;
      if (bytes > LIST_BYTES && found.length > 0) break;
      found.push(one);
      if (found.length === limit) break;
    }
    return found;
  }

  async count(principal: Principal, filter: ThreadFilter): Promise<number> {
    let count = 0;
    for await (const _ of this.matching(principal, filter)) count += 1;
    return count;
  }

  /** Deletes all threads with these metadata. @throws AppError THREAD_BUSY if a run does not end in time */
  async deleteAll(principal: Principal, metadata: Readonly<Record<string, unknown>>): Promise<void> {
    const ids: string[] = [];
    for await (const thread of this.newest(principal, Infinity))
      if (await this.hasMetadata(principal, thread, metadata)) ids.push(thread.id);
    for (const id of ids) await unlessUnknown(this.service.delete(principal, id));
  }

  private async *matching(
    principal: Principal,
    { values, ids, status, metadata }: ThreadFilter,
  ): AsyncGenerator<Thread> {
    const search = values ? new ValueSearch(values) : undefined;
    let read = 0;
    for await (const thread of this.withFacts(principal, { ids, status, metadata })) {
      if (search && (read += 1) > MOST_STATES) return;
      if (!search || search.fits(await this.readValues(principal, thread))) yield thread;
    }
  }

  private async readValues(principal: Principal, { id }: Thread): Promise<unknown> {
    return (await unlessUnknown(this.threads.get(principal, id)))?.values ?? {};
  }

  private async *withFacts(
    principal: Principal,
    { ids, status, metadata }: Pick<ThreadFilter, 'ids' | 'status' | 'metadata'>,
  ): AsyncGenerator<Thread> {
    const threads = ids ? this.named(principal, ids) : this.newest(principal);
    for await (const thread of threads) {
      if (metadata && !(await this.hasMetadata(principal, thread, metadata))) continue;
      if (!status || toThreadStatus(await this.runs.last(principal, thread.id)) === status) yield thread;
    }
  }

  /** True if the thread has these values in its metadata. */
  private async hasMetadata(
    principal: Principal,
    thread: Thread,
    wanted: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const asksForLast = Object.keys(wanted).some((name) => FROM_LAST_RUN.has(name));
    const last = asksForLast ? await this.runs.last(principal, thread.id) : undefined;
    const metadata = toThreadMetadata(thread, last);
    return Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(metadata[name], value));
  }

  private async *named(principal: Principal, ids: readonly string[]): AsyncGenerator<Thread> {
    for (const id of new Set(ids)) {
      const thread = await unlessUnknown(this.service.get(principal, id));
      if (thread) yield thread;
    }
  }

  private async *newest(principal: Principal, most = MOST_THREADS): AsyncGenerator<Thread> {
    let cursor: string | undefined;
    let seen = 0;
    do {
      const page = await this.service.list(principal, { limit: 100, ...(cursor && { cursor }) });
      yield* page.items;
      seen += page.items.length;
      cursor = page.nextCursor;
    } while (cursor && seen < most);
  }
}

async function unlessUnknown<Found>(found: Promise<Found>): Promise<Found | undefined> {
  return found.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
}

const SORT_KEYS = {
  thread_id: ({ id }: Thread) => id,
  created_at: ({ createdAt }: Thread) => createdAt,
  updated_at: ({ updatedAt }: Thread) => updatedAt,
};

/** Yields threads that come with the last changed first in this order. Threads of one moment are sorted as they were created. */
async function* inOrder(
  threads: AsyncIterable<Thread>,
  by: keyof typeof SORT_KEYS,
  order: 'asc' | 'desc',
): AsyncGenerator<Thread> {
  if (by === 'updated_at' && order === 'desc') return yield* threads;
  const oldestFirst: Thread[] = [];
  for await (const thread of threads) oldestFirst.unshift(thread);
  const getKey = SORT_KEYS[by];
  const sorted = oldestFirst.sort((one, other) => {
    const [key, otherKey] = [getKey(one), getKey(other)];
    return key === otherKey ? 0 : key < otherKey ? -1 : 1;
  });
  yield* order === 'asc' ? sorted : sorted.reverse();
}
