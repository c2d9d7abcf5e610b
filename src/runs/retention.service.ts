import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { compactLog } from '../events/compact-log.js';
import type { EventLog } from './event.log.js';
import type { RecentEvents } from './recent.events.js';
import type { Retention } from './retention.js';
import type { ThreadMemory } from './thread.service.js';
import { readWholeLog } from './whole.log.js';

/** How long what was said is kept, and in what detail. */
export interface RetentionOptions {
  /**
   * How long after its end a run's log is compacted, in milliseconds: superseded words and the progress of tools go, the deltas
   * of a part become one. Default an hour. A reader in the middle of such a log is told to start again.
   */
  readonly compactAfterMs: number;
  /** A thread goes when nothing has happened in it for so long, in milliseconds. Default: never. */
  readonly maxAgeMs?: number;
  /** When the data takes more bytes than this, threads go, longest unchanged first. Default: no limit. */
  readonly maxBytes?: number;
}

export const DEFAULT_RETENTION: RetentionOptions = { compactAfterMs: 60 * 60_000 };

/** What the service works with. */
export interface RetentionTools {
  readonly retention: Retention;
  readonly log: EventLog;
  readonly recent: RecentEvents;
  readonly memory: ThreadMemory;
}

/** How often to look for what may go. */
const SWEEP_MS = 60_000;

/** The rest after each piece of work: retention takes hours if need be, and no run waits for it. */
const REST_MS = 5;

/** Runs looked up at a time. */
const RUNS_AT_A_TIME = 100;

/** Makes room, in small pieces with a rest after each. A thread with a run that has not ended is never touched. */
@Injectable()
export class RetentionService {
  private readonly logger = new Logger(RetentionService.name);
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly tools: RetentionTools,
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
    yield* this.removeOld();
    yield* this.removeUntilSmall();
    while (await this.tools.retention.shrink()) yield;
  }

  private async *compactRuns(): AsyncGenerator<void> {
    const { retention, log, recent } = this.tools;
    const endedBefore = this.now() - this.options.compactAfterMs;
    for (let compacted = RUNS_AT_A_TIME; compacted === RUNS_AT_A_TIME;) {
      compacted = 0;
      for (const runId of await retention.listUncompacted({ endedBefore, limit: RUNS_AT_A_TIME })) {
        try {
          const events = compactLog(await readWholeLog(log, runId));
          if ((await retention.compact(runId, events)) === 'compacted') compacted += 1;
          recent.forget(runId);
        } catch (error) {
          // One log that cannot be read must not keep the others as they are.
          this.logger.warn({ err: error, runId }, 'A log could not be compacted.');
        }
        yield;
      }
    }
  }

  private async *removeOld(): AsyncGenerator<void> {
    const { maxAgeMs } = this.options;
    if (maxAgeMs === undefined) return;
    while (await this.removeOldest(this.now() - maxAgeMs)) yield;
  }

  private async *removeUntilSmall(): AsyncGenerator<void> {
    const { maxBytes } = this.options;
    if (maxBytes === undefined) return;
    const { retention } = this.tools;
    let removed = 0;
    while ((await retention.usedBytes()) > maxBytes) {
      // To look is to look at all there is, and with much to remove would take longer than the removing. So the more has gone, the
      // more goes before the next look: at most a tenth too much.
      for (const goal = removed + Math.max(1, Math.floor(removed / 10)); removed < goal; removed += 1) {
        if (!(await this.removeOldest(Number.MAX_SAFE_INTEGER))) {
          this.logger.warn(
            { maxBytes },
            'The data is over its limit, and every thread that is left has a run going on.',
          );
          return;
        }
        yield;
      }
    }
  }

  /** Removes the thread that is unchanged for longest; false when there is none that may go. */
  private async removeOldest(unchangedSince: number): Promise<boolean> {
    const [threadId] = await this.tools.retention.deleteIdleThreads({ unchangedSince, limit: 1 });
    if (threadId === undefined) return false;
    await this.tools.memory.forget(threadId);
    this.logger.log({ threadId }, 'thread removed by retention');
    return true;
  }
}
