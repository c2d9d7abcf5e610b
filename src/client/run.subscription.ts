import { formatCursor } from '../events/cursor.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { applyEvent, emptyView, type RunView } from '../events/run-view.js';
import { type Backoff, backoffMs } from './backoff.js';
import { ChatError } from './chat.error.js';
import type { RunRecord } from './chat.types.js';
import { EVENT_NAMES, type Frame, readEvent, readReady } from './event-frames.js';
import { isHidden, type Return, watchHiding, watchReturns } from './page-returns.js';
import type { ConnectionState, RunObserver, Subscription } from './run-stream.js';

/** The part of `EventSource` that is used here. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** The calls of the API that a subscription needs. All of it rejects with {@link ChatError}. */
export interface RunSource {
  readonly runId: string;
  /** Connects; `after` is the id of the last event that is not wanted. */
  open(after: string | undefined, signal: AbortSignal): Promise<EventSourceLike>;
  /** Asks why a stream was refused, which EventSource does not tell: `past-end`, or not refused any more. */
  readRefusal(after: string | undefined, signal: AbortSignal): Promise<'past-end' | 'open'>;
  record(signal: AbortSignal): Promise<RunRecord>;
}

export interface RunSubscriptionOptions {
  readonly backoff: Backoff;
  /** Number of attempts in a row that may fail before the subscription fails. */
  readonly maxFailures: number;
  /** Maximum wait for the first frame of a new stream, in milliseconds. */
  readonly answerMs: number;
  /** Time without a frame after which a stream is opened again, in milliseconds. */
  readonly silenceMs: number;
  /** True to hold no stream while the page is hidden. */
  readonly pauseWhenHidden: boolean;
}

const CLOSED = 2;
// A quiet stream is left alone for this long when its page comes into view again.
const FRESH_MS = 15_000;

/**
 * Follows one run to its end, through every cut.
 *
 * An ordinary cut is left to EventSource, which comes back by itself with Last-Event-ID. When that fails, or when the server
 * refuses (final for EventSource), this class finds out why and opens a new one after the last event of the view.
 */
export class RunSubscription implements Subscription {
  private connection: ConnectionState = { state: 'connecting' };
  private threadId = '';
  private serverAheadMs: number | undefined;
  private stream: EventSourceLike | undefined;
  /** Aborted when what the current stream was opened for is over. */
  private attempt = new AbortController();
  /** Attempts in a row that came to nothing. */
  private failures = 0;
  private heardAt = performance.now();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private stopWatching = () => {};
  private closed = false;

  constructor(
    private readonly source: RunSource,
    private view: RunView,
    private readonly observer: RunObserver,
    private readonly options: RunSubscriptionOptions,
  ) {
    // Later, so that an observer can use the subscription from its first snapshot on.
    queueMicrotask(() => this.begin());
  }

  unsubscribe(): void {
    this.closed = true;
    this.stopWatching();
    this.closeStream();
  }

  private begin(): void {
    if (this.closed) return;
    if (hasEnded(this.view)) return this.finish();
    this.watchPage();
    if (this.options.pauseWhenHidden && isHidden()) return this.pause();
    this.publish();
    this.open();
  }

  private watchPage(): void {
    const stopReturns = watchReturns((how) => this.pageReturned(how));
    const stopHiding = this.options.pauseWhenHidden ? watchHiding(() => this.pause()) : () => {};
    this.stopWatching = () => {
      stopReturns();
      stopHiding();
    };
  }

  /** Closes the stream: all tabs of a server share few connections. The log keeps the events until the page is shown again. */
  private pause(): void {
    this.closeStream();
    this.connection = { state: 'paused' };
    this.publish();
  }

  private open(): void {
    // An observer may have unsubscribed in the snapshot that announced this.
    if (this.closed) return;
    const signal = this.newAttempt();
    this.source.open(this.cursor(), signal).then(
      (stream) => {
        if (signal.aborted) return stream.close();
        this.stream = stream;
        this.listen(stream);
      },
      (error: unknown) => signal.aborted || this.handleMissedRecord(error),
    );
  }

  private listen(stream: EventSourceLike): void {
    // A closed EventSource may still hand out an event that it had queued before.
    const on = (name: string, handle: (frame: Frame) => void) =>
      stream.addEventListener(name, (frame) => {
        if (this.stream === stream) handle(frame);
      });
    on('ready', (frame) => {
      const { threadId, at } = readReady(frame);
      this.threadId = threadId;
      if (at !== undefined) this.serverAheadMs = at - Date.now();
      this.confirmAlive();
    });
    on('reset', () => {
      this.view = emptyView(this.source.runId);
      this.confirmAlive();
    });
    for (const name of EVENT_NAMES) {
      on(name, (frame) => {
        const recorded = readEvent(frame, this.threadId, Date.now());
        if (recorded) this.fold(recorded);
      });
    }
    on('error', () => this.handleLoss(stream));
  }

  private fold(recorded: RecordedEvent): void {
    this.view = applyEvent(this.view, recorded);
    if (hasEnded(this.view)) this.finish();
    else this.confirmAlive();
  }

  /**
   * Something came: the connection works.
   *
   * Heartbeats are comments, which EventSource does not show: a quiet run and a connection that died without a word look the
   * same. So a stream that is silent for long is opened again, after the last event; if it was alive, readers do not notice.
   */
  private confirmAlive(): void {
    this.failures = 0;
    this.heardAt = performance.now();
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.open(), this.options.silenceMs);
    this.connection = { state: 'live' };
    this.publish();
  }

  private handleLoss(stream: EventSourceLike): void {
    if (stream.readyState === CLOSED) {
      void this.handleRefusal();
    } else if (this.failures === 0) {
      this.failures = 1;
      this.expectAnswer();
      this.connection = { state: 'reconnecting', attempt: 1 };
      this.publish();
    } else {
      // EventSource would go on at one steady pace, however long the server is away.
      this.handleMissedRecord(ChatError.unreachable(undefined));
    }
  }

  private async handleRefusal(): Promise<void> {
    const signal = this.newAttempt();
    try {
      const why = await this.source.readRefusal(this.cursor(), signal);
      const record = why === 'past-end' ? await this.source.record(signal) : undefined;
      if (signal.aborted) return;
      if (record && hasEnded(record)) {
        this.view = endAsRecorded(this.view, record);
        this.finish();
      } else {
        this.handleMissedRecord(ChatError.unreachable(undefined));
      }
    } catch (error) {
      if (!signal.aborted) this.handleMissedRecord(error);
    }
  }

  /** An attempt to connect came to nothing. */
  private handleMissedRecord(error: unknown): void {
    const why = error instanceof ChatError ? error : ChatError.unreachable(error);
    this.failures += 1;
    if (!why.passing || this.failures >= this.options.maxFailures) return this.fail(why);
    this.closeStream();
    const wait = backoffMs(this.failures, this.options.backoff, Math.random());
    const retryInMs = Math.max(wait, why.retryAfterMs ?? 0);
    this.retryTimer = setTimeout(() => this.retry(), retryInMs);
    const reason = why.status > 0 && { error: why };
    this.connection = { state: 'reconnecting', attempt: this.failures, retryInMs, ...reason };
    this.publish();
  }

  private retry(): void {
    this.connection = { state: 'reconnecting', attempt: this.failures };
    this.publish();
    this.open();
  }

  private pageReturned(how: Return): void {
    if (this.connection.state === 'paused') return isHidden() ? undefined : this.resume();
    if (this.connection.state === 'reconnecting') return this.retry();
    const quietMs = performance.now() - this.heardAt;
    if (how !== 'visible' || quietMs > FRESH_MS) this.open();
  }

  private resume(): void {
    this.connection = { state: 'connecting' };
    this.publish();
    this.open();
  }

  private newAttempt(): AbortSignal {
    this.closeStream();
    this.attempt = new AbortController();
    this.expectAnswer();
    return this.attempt.signal;
  }

  /** The server answers at once, before it has anything to say. */
  private expectAnswer(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(
      () => this.handleMissedRecord(ChatError.unreachable(undefined)),
      this.options.answerMs,
    );
  }

  private cursor(): string | undefined {
    return this.view.seq > 0 ? formatCursor(this.view) : undefined;
  }

  private finish(): void {
    this.connection = { state: 'ended' };
    this.unsubscribe();
    this.publish();
    this.observer.complete?.();
  }

  private fail(error: ChatError): void {
    this.connection = { state: 'failed', error };
    this.unsubscribe();
    this.publish();
    this.observer.error?.(error);
  }

  private publish(): void {
    const { view, connection, serverAheadMs } = this;
    this.observer.next({ view, connection, ...(serverAheadMs !== undefined && { serverAheadMs }) });
  }

  private closeStream(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.attempt.abort();
    this.stream?.close();
    this.stream = undefined;
  }
}

function hasEnded({ status }: { readonly status: RunRecord['status'] }): boolean {
  return status !== 'pending' && status !== 'running';
}

/** For a run that ended with no event that we lack, such as one that was cancelled before it began. */
function endAsRecorded(view: RunView, record: RunRecord): RunView {
  const { status, error, usage } = record;
  return { ...view, status, ...(error && { error }), ...(usage && { usage }) };
}
