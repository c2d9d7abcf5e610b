import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { findLeaf, groupVersions, selectBranch, type BranchNode } from './branches.js';
import type { Run, Thread } from './run.js';
import type { Page, PageRequest, RunStore } from './run.store.js';

/** A page of the runs of one branch, newest first. */
export interface BranchPage extends Page<Run> {
  /** Returns the runs that took a run's turn, itself included, the oldest first. Undefined if there is only one. */
  findVersions(run: Run): readonly string[] | undefined;
  /** Returns the id of the run's state from which its branch goes on, if that is in its middle. */
  findPlaceIn(run: Run): string | undefined;
  /** Returns the cursor after a run of this page, the last of the `count` runs that the reply uses. */
  cursorBehind(run: Run, count: number): Promise<string | undefined>;
}

/** Maximum number of runs that may start while a page is read. */
const MOST_MOVED = 20;

/** Maximum number of runs read of a thread with branches, the newest first. */
const MOST_RUNS = 2_000;

/** Roughly the bytes of the records of a page. */
const PAGE_BYTES = 512 * 1024;
const RECORDS_AT_A_TIME = 4;

type ReadPage = Omit<BranchPage, 'findPlaceIn'>;

/** Reads the branches of threads, a page at a time. */
export class BranchPages {
  constructor(private readonly runs: RunStore) {}

  /**
   * Reads a page of a branch: the newest one that contains the run `through`, or the branch of the thread's newest run.
   *
   * @throws AppError NOT_FOUND if the thread has no such run
   */
  async read(
    principal: Principal,
    thread: Thread,
    { through, cursor: given, ...page }: PageRequest & { readonly through?: string | undefined },
  ): Promise<BranchPage> {
    const { cursor, place } = splitCursor(given);
    const request = { ...page, ...(cursor !== undefined && { cursor }) };
    const read =
      thread.hasBranches || through !== undefined
        ? await this.readBranch(principal, thread, { through, ...request })
        : await this.readAll(principal, thread, request);
    const { items } = read;
    // The run after it has said so. The one after the first of these is on the page before.
    const findPlaceAt = (index: number) => (index > 0 ? items[index - 1]?.given?.fromCheckpoint : place);
    const nextCursor = joinCursor(read.nextCursor, findPlaceAt(items.length));
    return {
      ...read,
      ...(nextCursor !== undefined && { nextCursor }),
      findPlaceIn: (run) => findPlaceAt(items.indexOf(run)),
      cursorBehind: async (run, count) => joinCursor(await read.cursorBehind(run, count), findPlaceAt(count)),
    };
  }

  private async readAll(principal: Principal, { id }: Thread, page: PageRequest): Promise<ReadPage> {
    return {
      ...(await this.runs.listRuns(principal, id, page)),
      findVersions: () => undefined,
      cursorBehind: (run, count) => this.cursorBehind(run, page, count),
    };
  }

  private async readBranch(
    principal: Principal,
    { id: threadId }: Thread,
    { limit, cursor, through }: PageRequest & { readonly through?: string | undefined },
  ): Promise<ReadPage> {
    const nodes = (await this.runs.listNodes(principal, threadId, MOST_RUNS)).toReversed();
    const leaf = through === undefined ? nodes.at(-1) : findLeaf(nodes, through);
    if (!leaf) throw new AppError('NOT_FOUND', `There is no run '${through}' in thread '${threadId}'.`);
    const first = cursor === undefined ? leaf.id : await this.findFirst(cursor, { principal, threadId });
    const branch = first === undefined ? [] : selectBranch(nodes, first).toReversed();
    const items = await this.readRecords(branch.slice(0, limit));
    const versions = groupVersions(nodes);
    const toCursor = (index: number) => {
      const next = branch[index];
      return next && `${FROM}${next.id}`;
    };
    const nextCursor = toCursor(items.length);
    return {
      items,
      ...(nextCursor && { nextCursor }),
      findVersions: ({ id }) => versions.get(id),
      cursorBehind: async (_, count) => toCursor(count),
    };
  }

  /** Returns the id of the run that a page begins with. A cursor from before the thread had branches is the storage's. */
  private async findFirst(
    cursor: string,
    { principal, threadId }: { readonly principal: Principal; readonly threadId: string },
  ): Promise<string | undefined> {
    if (cursor.startsWith(FROM)) return cursor.slice(FROM.length);
    const { items } = await this.runs.listRuns(principal, threadId, { limit: 1, cursor });
    return items[0]?.id;
  }

  /** Reads the records of these runs. Ends early, after at least one, before they are large. */
  private async readRecords(nodes: readonly BranchNode[]): Promise<Run[]> {
    const records: Run[] = [];
    for (let bytes = 0; bytes < PAGE_BYTES && records.length < nodes.length;) {
      const next = nodes.slice(records.length, records.length + RECORDS_AT_A_TIME);
      const read = await Promise.all(next.map(({ id }) => this.runs.get(id)));
      const found = read.filter((run) => run !== undefined);
      records.push(...found);
      // The thread was deleted in the meantime.
      if (found.length < next.length) break;
      bytes += JSON.stringify(found).length;
    }
    return records;
  }

  /** Returns the storage's cursor after a run. On the first page, newer runs may have moved it in the meantime. */
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
}

/**
 * Prefix of cursors of a thread with branches; the storage's cursors have another one. After it comes the id of the run that the next page begins
 * with: that run's ancestors never change.
 */
const FROM = '~';

/** Divides a cursor from the id of the state, in the middle of the next page's first run, from which the branch goes on. */
const PLACE = '~';

function joinCursor(cursor: string | undefined, place: string | undefined): string | undefined {
  return cursor === undefined || place === undefined ? cursor : `${cursor}${PLACE}${place}`;
}

function splitCursor(cursor = ''): { readonly cursor?: string; readonly place?: string } {
  const end = cursor.indexOf(PLACE, FROM.length);
  if (end === -1) return cursor === '' ? {} : { cursor };
  return { cursor: cursor.slice(0, end), place: cursor.slice(end + PLACE.length) };
}
