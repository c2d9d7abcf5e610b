import { Injectable, Logger } from '@nestjs/common';
import type { ItemStore } from '../agents/item.store.js';
import type { Owner } from '../principal.js';
import type { BlobStore } from './blob.store.js';
import { compactRun, type CompactionDeps } from './compact-run.js';
import { indexRun, type IndexingDeps } from './index-run.js';
import { PeriodicWork } from './periodic-work.js';

/** Rules for how long conversations are kept, and in how much detail. */
export interface RetentionOptions {
  /**
   * Time after its end when a run's log is compacted, in milliseconds: replaced text and the progress of tools are dropped, and
   * the deltas of a part are joined. Default an hour. A reader in the middle of such a log is told to start again.
   */
  readonly compactAfterMs: number;
  /** A thread goes when nothing has happened in it for so long, in milliseconds. Default: never. */
  readonly maxAgeMs?: number;
  /**
   * Maximum bytes of all data. Above it, data of the owner with the most is deleted: uploads that no message has named, then threads, longest unchanged
   * first. So an owner with less than an equal share loses nothing. Default: no limit.
   */
  readonly maxBytes?: number;
  /**
   * Maximum bytes of one owner's runs and files. Above it, uploads of that owner that no message has named are deleted, then threads, longest unchanged
   * first. Default: no limit.
   */
  readonly maxBytesPerOwner?: number;
}

export const DEFAULT_RETENTION: RetentionOptions = { compactAfterMs: 60 * 60_000 };

/** Dependencies of the service. */
export interface RetentionDeps extends CompactionDeps, IndexingDeps {
  readonly items: ItemStore;
  readonly blobs: BlobStore;
}

/** Time between two looks for data to delete, in milliseconds. */
const SWEEP_MS = 60_000;

/** Owners looked up at a time. */
const OWNERS_AT_A_TIME = 100;

/** Runs looked up at a time. */
const RUNS_AT_A_TIME = 100;

/** Runs indexed between two looks at which are left. */
const RUNS_INDEXED_AT_A_TIME = 10;

/** Runs indexed in one sweep: about a minute of work. */
const RUNS_INDEXED_PER_SWEEP = 5_000;

/** Runs that could not be indexed before a sweep gives up: the storage may be away. */
const MAX_FAILED_TO_INDEX = 10;

/** Items removed at a time. */
const ITEMS_AT_A_TIME = 100;

/** Leftovers of deleted files removed at a time. */
const LEFTOVERS_AT_A_TIME = 20;

/** Uploads removed at a time. Each may be large. */
const UPLOADS_AT_A_TIME = 10;

/** Makes room, in small pieces with a rest after each. A thread with a run that has not ended is never touched. */
@Injectable()
export class RetentionService {
  private readonly logger = new Logger(RetentionService.name);
  private readonly sweeping = new PeriodicWork({
    pieces: () => this.pieces(),
    everyMs: SWEEP_MS,
    onFailure: (error) =>
      this.logger.error({ err: error }, 'Retention could not do its work; trying again soon.'),
  });
  /** By itself: however long a sweep takes, and whatever fails in it, the bytes of deleted files go. */
  private readonly removing = new PeriodicWork({
    pieces: (signal) => this.leftovers(signal),
    everyMs: SWEEP_MS,
    onFailure: (error) =>
      this.logger.warn({ err: error }, 'The bytes of deleted files could not be removed; trying again soon.'),
  });

  constructor(
    private readonly deps: RetentionDeps,
    private readonly options: RetentionOptions = DEFAULT_RETENTION,
    private readonly now: () => number = Date.now,
  ) {}

  /** From now on looks once a minute. */
  start(): void {
    this.sweeping.start();
    this.removing.start();
  }

  /** Resolves when the pieces in hand are done. Nothing follows them, and a removal of bytes is given up. */
  async stop(): Promise<void> {
    await Promise.all([this.sweeping.stop(), this.removing.stop()]);
  }

  /** Removes and compacts everything that is due now. Never rejects: what fails is logged, and tried again in the next sweep. */
  sweep(): Promise<void> {
    return this.sweeping.run();
  }

  /** Removes what deleted files have left outside the database. Never rejects, as `sweep`. */
  removeLeftovers(): Promise<void> {
    return this.removing.run();
  }

  /** Yields after each piece of work. */
  private async *pieces(): AsyncGenerator<void> {
    yield* this.compactRuns();
    yield* this.removeExpiredItems();
    yield* this.removeExpiredUploads();
    yield* this.removeExpiredThreads();
    yield* this.removeOld();
    yield* this.removeOverQuota();
    yield* this.removeUntilSmall();
    while (await this.deps.retention.shrink()) yield;
    // Last: after an upgrade there are all runs to index, and what makes room does not wait for that.
    yield* this.indexRuns();
  }

  private async *compactRuns(): AsyncGenerator<void> {
    const { retention } = this.deps;
    const endedBefore = this.now() - this.options.compactAfterMs;
    for (let compacted = RUNS_AT_A_TIME; compacted === RUNS_AT_A_TIME;) {
      compacted = 0;
      for (const runId of await retention.listUncompacted({ endedBefore, limit: RUNS_AT_A_TIME })) {
        try {
          if ((await compactRun(runId, this.deps)) === 'compacted') compacted += 1;
        } catch (error) {
          // One log that cannot be read must not keep the others as they are.
          this.logger.warn({ err: error, runId }, 'A log could not be compacted.');
        }
        yield;
      }
    }
  }

  /** Makes runs searchable that an earlier version has ended, about the newest first. */
  private async *indexRuns(): AsyncGenerator<void> {
    const failed = new Set<string>();
    for (let left = RUNS_INDEXED_PER_SWEEP; left > 0;) {
      const runIds = await this.deps.retention.listUnindexed(RUNS_AT_A_TIME + failed.size);
      const open = runIds.filter((runId) => !failed.has(runId));
      if (open.length === 0) return;
      // Somewhere in the list: instances that do it at the same moment seldom meet.
      const start = Math.floor(Math.random() * Math.max(1, open.length - RUNS_INDEXED_AT_A_TIME + 1));
      for (const runId of open.slice(start, start + RUNS_INDEXED_AT_A_TIME)) {
        try {
          await indexRun(runId, this.deps);
        } catch (error) {
          this.logger.warn({ err: error, runId }, 'A run could not be indexed; trying again soon.');
          failed.add(runId);
          if (failed.size === MAX_FAILED_TO_INDEX) return;
        }
        left -= 1;
        yield;
      }
    }
  }

  private async *removeExpiredItems(): AsyncGenerator<void> {
    while ((await this.deps.items.deleteExpired(ITEMS_AT_A_TIME)) === ITEMS_AT_A_TIME) yield;
  }

  private async *removeExpiredUploads(): AsyncGenerator<void> {
    while ((await this.deps.blobs.deleteExpired(UPLOADS_AT_A_TIME)) === UPLOADS_AT_A_TIME) yield;
  }

  private async *leftovers(signal: AbortSignal): AsyncGenerator<void> {
    while ((await this.deps.blobs.removeLeftovers(LEFTOVERS_AT_A_TIME, signal)) > 0) yield;
  }

  private async *removeExpiredThreads(): AsyncGenerator<void> {
    for (;;) {
      const [thread] = await this.deps.retention.deleteExpiredThreads({ now: this.now(), limit: 1 });
      if (!thread) return;
      this.logger.log({ threadId: thread.id, ...thread.owner }, 'thread removed at the end of its lifetime');
      yield;
    }
  }

  private async *removeOld(): AsyncGenerator<void> {
    const { maxAgeMs } = this.options;
    if (maxAgeMs === undefined) return;
    while (await this.removeOldest(this.now() - maxAgeMs)) yield;
  }

  private async *removeOverQuota(): AsyncGenerator<void> {
    const { maxBytesPerOwner } = this.options;
    if (maxBytesPerOwner === undefined) return;
    const busy = new Set<string>();
    let removed = 0;
    for (let over = true; over;) {
      const usage = await this.deps.retention.listUsage(OWNERS_AT_A_TIME + busy.size);
      over = false;
      for (const { owner } of usage.filter(
        (each) => each.bytes > maxBytesPerOwner && !busy.has(formatOwner(each.owner)),
      )) {
        if (await this.removeForRoom(owner)) removed += 1;
        else busy.add(formatOwner(owner));
        over = true;
        yield;
      }
    }
    if (removed > 0)
      this.logger.log({ removed }, 'threads and uploads over the quota of their owners removed');
  }

  /** Deletes from the owner with the most data, so that only data beyond an equal share goes while there is any. */
  private async *removeUntilSmall(): AsyncGenerator<void> {
    const { maxBytes } = this.options;
    if (maxBytes === undefined) return;
    const { retention } = this.deps;
    const busy = new Set<string>();
    let removed = 0;
    while ((await retention.usedBytes()) > maxBytes) {
      const usage = await retention.listUsage(OWNERS_AT_A_TIME + busy.size);
      const heaviest = usage.find(({ owner }) => !busy.has(formatOwner(owner)))?.owner;
      // To look is to look at all there is, and with much to remove would take longer than the removing. So the more has gone, the
      // more goes before the next look: at most a tenth too much.
      for (const goal = removed + Math.max(1, Math.floor(removed / 10)); removed < goal; removed += 1) {
        if (!(await this.removeForRoom(heaviest))) {
          // What is left of this owner has a run going on: the next one, and at last owners who are in no list.
          if (heaviest) busy.add(formatOwner(heaviest));
          else {
            this.logger.warn(
              { maxBytes },
              'The data is over its limit, but every remaining thread has an active run.',
            );
            return;
          }
          break;
        }
        yield;
      }
    }
  }

  /** Removes an upload that no message has named, or else the thread that is unchanged for longest. An upload's owner has it still. */
  private async removeForRoom(of: Owner | undefined): Promise<boolean> {
    if (of && (await this.deps.blobs.deleteOldestUploads(of, 1)) > 0) return true;
    return this.removeOldest(Number.MAX_SAFE_INTEGER, of);
  }

  /** Removes the thread that is unchanged for longest, of this owner or of anybody; false when there is none that may go. */
  private async removeOldest(unchangedSince: number, of?: Owner): Promise<boolean> {
    const [thread] = await this.deps.retention.deleteIdleThreads({
      unchangedSince,
      limit: 1,
      ...(of && { owner: of }),
    });
    if (!thread) return false;
    const { id: threadId, owner } = thread;
    this.logger.log({ threadId, ...owner }, 'thread removed by retention');
    return true;
  }
}

function formatOwner({ tenant, userId }: Owner): string {
  return JSON.stringify([tenant, userId]);
}
