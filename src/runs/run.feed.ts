import { Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { RecordedEvent } from '../events/recorded-event.js';
import { EventLog } from './event.log.js';
import { Hints } from './hints.js';
import { RecentEvents } from './recent.events.js';
import type { Run } from './run.js';
import { Wakeups } from './wakeups.js';

/** Where a reader stands, and how it wants to be fed. */
export interface Follow {
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

/** Events read at a time. */
const PAGE = 256;

/**
 * A run's history, then its life: read after the cursor, wait for a hint, read again.
 *
 * There is no separate live path, and therefore no seam between the two where an event could be lost or come twice. A
 * reader that joins late, comes back, follows from another process or replays a finished run goes through this same loop.
 */
@Injectable()
export class RunFeed {
  /** @param recheckMs how long to trust that no hint means no news. Default 5,000: what a lost hint costs. */
  constructor(
    private readonly log: EventLog,
    private readonly recent: RecentEvents,
    private readonly wakeups: Wakeups,
    private readonly recheckMs = 5_000,
  ) {}

  /**
   * The events of a run after `afterSeq`: each once, in order, none left out. Completes after the run's `end`, also for a
   * reader that has it already; and without an `end` when the log was compacted, removed, or replaced by an older copy of
   * itself under the reader, who then has to come back with its cursor. Errors when the log cannot be read (STORAGE_FAILED).
   * Unsubscribing stops it at once and leaves nothing listening.
   */
  follow({ runId, afterSeq, afterEpoch, record, ready }: Follow): Observable<RecordedEvent> {
    return new Observable((subscriber) => {
      // Listen before reading, or an event appended between the two would wait for the next hint.
      const hints = new Hints(this.wakeups, `log:${runId}`, this.recheckMs);
      subscriber.add(() => hints.close());

      this.recent.check(runId, record);
      let seq = afterSeq;
      let epoch = afterEpoch;
      const readOn = async () => {
        try {
          while (!subscriber.closed) {
            hints.clear();
            // Read from the event that the reader has: what follows it is news only as long as it is still there.
            const from = Math.max(0, seq - 1);
            const page = this.recent.read(runId, from, PAGE) ?? (await this.log.read(runId, from, PAGE));
            if (seq > 0 && !isAt(page[0], seq, epoch)) return subscriber.complete();
            for (const recorded of page) {
              if (subscriber.closed) return;
              if (recorded.seq > seq) subscriber.next(recorded);
              if (recorded.event.type === 'end') return subscriber.complete();
              ({ seq, epoch } = recorded);
              // Also after the one that it had: only since then may it have been too much.
              const room = ready?.();
              if (room) await room;
            }
            if (page.length < PAGE) return hints.next(readOn);
          }
        } catch (error) {
          subscriber.error(error);
        }
      };
      void readOn();
    });
  }
}

/** True for the event with that seq, and with that epoch as far as it is known. */
function isAt(first: RecordedEvent | undefined, seq: number, epoch: number | undefined): boolean {
  return first?.seq === seq && (epoch === undefined || first.epoch === epoch);
}
