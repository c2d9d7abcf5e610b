import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { ItemStore } from '../agents/item.store.js';
import type { Owner } from '../principal.js';
import { compactRun, type CompactionDeps } from './compact-run.js';

/** Rules for how long conversations are kept, and in how much detail. */
export interface RetentionOptions {
  /**
   * Time after its end when a run's log is compacted, in milliseconds: superseded text and the progress of tools are dropped, and
   * the deltas of a part are joined. Default an hour. A reader in the middle of such a log is told to start again.
   */
  readonly compactAfterMs: number;
  /** A thread goes when nothing has happened in it for so long, in milliseconds. Default: never. */
  readonly maxAgeMs?: number;
  /**
   * Maximum bytes of all data. Above it, threads are deleted: those of the owner with the most data, longest unchanged first. So
   * an owner with less than an equal share loses no thread. Default: no limit.
   */
  readonly maxBytes?: number;
  /** Maximum bytes of one owner's runs. Above it, threads of that owner are deleted, longest unchanged first. Default: no limit. */
  readonly maxBytesPerOwner?: number;
}

export const DEFAULT_RETENTION: RetentionOptions = { compactAfterMs: 60 * 60_000 };

/** Dependencies of the service. */
export interface RetentionDeps extends CompactionDeps {
  readonly items: ItemStore;
}

/** Time between two looks for data to delete, in milliseconds. */
const SWEEP_MS = 60_000;

/** The rest after each piece of work: retention takes hours if need be, and no run waits for it. */
const REST_MS = 5;

/** Owners looked up at a time. */
const OWNERS_AT_A_TIME = 100;

/** Runs looked up at a time. */
const RUNS_AT_A_TIME = 100;

/** Items removed at a time. */
const ITEMS_AT_A_TIME = 100;

/** Makes room, in small pieces with a rest after each. A thread with a run that has not ended is never touched. */
@Injectable()
export class RetentionService {
  private readonly logger = new Logger(RetentionService.name);
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: RetentionDeps,
    private readonly options: RetentionOptions = DEFAULT_RETENTION,
    private readonly now: () => number = Date.now,
  ) {}

  /** From now on looks once a minute. The first time after a minute, so that a start is not slower for it. */
  start(): void {
    this.timer = setTimeout(() => {
      void this.sweep().finally(() => {
        if (!this.stopping.signal.aborted) this.start();
      });
    }, SWEEP_MS).unref();
  }

  /** Resolves when the piece in hand is done. Nothing follows it. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.stopping.abort();
    await this.sweeping;
  }

  /** Removes and compacts everything that is due now. Never rejects: what fails is logged, and tried again in the next sweep. */
  sweep(): Promise<void> {
    this.sweeping = this.work();
    return this.sweeping;
  }

  private async work(): Promise<void> {
    try {
      for await (const _ of this.pieces()) {
        if (this.stopping.signal.aborted) return;
        await pause(REST_MS, undefined, { ref: false });
      }
    } catch (error) {
      this.logger.error({ err: error }, 'Retention could not do its work; trying again soon.');
    }
  }

  /** Yields after each piece of work. */
  private async *pieces(): AsyncGenerator<void> {
    yield* this.compactRuns();
    yield* this.removeExpiredItems();
    yield* this.removeOld();
    yield* this.removeOverQuota();
    yield* this.removeUntilSmall();
    while (await this.deps.retention.shrink()) yield;
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

  private async *removeExpiredItems(): AsyncGenerator<void> {
    while ((await this.deps.items.deleteExpired(ITEMS_AT_A_TIME)) === ITEMS_AT_A_TIME) yield;
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
        if (await this.removeOldest(Number.MAX_SAFE_INTEGER, owner)) removed += 1;
        else busy.add(formatOwner(owner));
        over = true;
        yield;
      }
    }
    if (removed > 0) this.logger.log({ removed }, 'threads over the quota of their owners removed');
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
        if (!(await this.removeOldest(Number.MAX_SAFE_INTEGER, heaviest))) {
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
