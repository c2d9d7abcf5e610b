import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { RecordedEvent } from '../events/recorded-event.js';
import { EventLog } from './event-log.js';
import { WakeupSignal } from './wakeup.signal.js';
import { EventCache } from './event.cache.js';
import type { Run } from './run.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { Wakeups } from './wakeups.js';

/** A reader's position and options. */
export interface FollowOptions {
  readonly runId: string;
  /** The last event that the reader has; 0 when it has none. */
  readonly afterSeq: number;
  /** The epoch of that event, where it is known: an event of another epoch in its place is not the one that the reader has. */
  readonly afterEpoch?: number;
  /** The run's record, as it was just read. Without it, what is still in memory of a run that has ended is not trusted. */
  readonly record?: Pick<Run, 'epoch' | 'lastSeq'>;
  /** A reader that cannot take more for now returns a promise, and is fed again when that resolves. Asked after every event. */
  readonly ready?: () => Promise<void> | undefined;
}

export interface RunFeedOptions {
  /** Time without a wakeup after which the log is read again, in milliseconds: the cost of a lost wakeup. Default 5,000. */
  readonly recheckMs: number;
}

export const RUN_FEED_OPTIONS = Symbol('RUN_FEED_OPTIONS');

/** Events read at a time, at most. */
const PAGE = 256;

/**
 * A run's history, then its life: read after the cursor, wait for a hint, read again.
 *
 * There is no separate live path, and therefore no seam between the two where an event could be lost or come twice. A
 * reader that joins late, comes back, follows from another process or replays a finished run goes through this same loop.
 */
@Injectable()
export class RunFeed {
  private readonly logger = new Logger(RunFeed.name);

  constructor(
    private readonly log: EventLog,
    private readonly recent: EventCache,
    private readonly wakeups: Wakeups,
    @Optional() @Inject(RUN_FEED_OPTIONS) private readonly options: RunFeedOptions = { recheckMs: 5_000 },
    @Optional() private readonly telemetry: Telemetry = new Telemetry(),
  ) {}

  /**
   * The events of a run after `afterSeq`: each once, in order, none left out. Completes after the run's `end`, also for a
   * reader that has it already; and without an `end` when the log was compacted, removed, or replaced by an older copy of
   * itself under the reader, who then has to come back with its cursor. Errors when the log cannot be read (STORAGE_FAILED).
   * Unsubscribing stops it at once and leaves nothing listening.
   */
  follow({ runId, afterSeq, afterEpoch, record, ready }: FollowOptions): Observable<RecordedEvent> {
    return new Observable((subscriber) => {
      // Listen before reading, or an event appended between the two would wait for the next hint.
      const hints = new WakeupSignal(this.wakeups, `log:${runId}`, this.options.recheckMs);
      subscriber.add(() => hints.close());

      this.recent.check(runId, record);
      let seq = afterSeq;
      let epoch = afterEpoch;
      /** True when the event that the reader has was all that a page could hold: it is still there, and the next page is behind it. */
      let pageIsFull = false;
      const readOn = async () => {
        try {
          while (!subscriber.closed) {
            hints.clear();
            // Read from the event that the reader has: what follows it is news only as long as it is still there.
            const from = pageIsFull ? seq : Math.max(0, seq - 1);
            const recent = this.recent.read(runId, from, PAGE);
            // Only the storage can say that the reader's event is gone. What is in memory may be behind it, or ahead of a restore.
            const { events, atTail } =
              recent && holds(recent, seq, epoch)
                ? { events: recent, atTail: recent.length < PAGE }
                : await this.log.readPage(runId, from, PAGE);
            if (!pageIsFull && !holds(events, seq, epoch)) {
              this.logger.warn(
                'A stream was closed before the end of its run: the log was replaced or compacted.',
                {
                  runId,
                  seq,
                },
              );
              return subscriber.complete();
            }
            const before = seq;
            for (const recorded of events) {
              if (subscriber.closed) return;
              if (recorded.seq > seq) subscriber.next(recorded);
              if (recorded.event.type === 'end') return subscriber.complete();
              ({ seq, epoch } = recorded);
              // Also after the one that it had: only since then may it have been too much.
              const room = ready?.();
              if (room) await room;
            }
            if (seq !== before) this.telemetry.commits?.handedOut(runId);
            pageIsFull = !atTail && seq === before;
            if (atTail) return hints.next(readOn);
          }
        } catch (error) {
          subscriber.error(error);
        }
      };
      void readOn();
    });
  }
}

/** True if the page begins with the reader's last event: that seq, under that epoch as far as it is known. */
function holds(page: readonly RecordedEvent[], seq: number, epoch: number | undefined): boolean {
  if (seq === 0) return true;
  const [first] = page;
  return first?.seq === seq && (epoch === undefined || first.epoch === epoch);
}
