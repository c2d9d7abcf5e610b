import type { AppError } from '../errors.js';

/** Reason for which an execution stops before its agent is done. */
export type StopReason =
  | { readonly why: 'cancelled' }
  | { readonly why: 'limit' | 'switched-off'; readonly error: AppError }
  | { readonly why: 'failed'; readonly error: unknown }
  /** Another process owns the run, or the log cannot be written: its next owner goes on. */
  | { readonly why: 'lost' }
  | { readonly why: 'handed-back' };

/** Time for an agent to stop before its run ends without it, in milliseconds. A tool that ignores the signal may go on, unheard. */
const STOP_GRACE_MS = 100;

/** Longest delay of a timer, in milliseconds; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Stops an execution: the first reason counts, and aborts the signal of its agent. */
export class RunStop {
  private readonly abort = new AbortController();
  private first: StopReason | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** Undefined while the execution may go on. */
  get reason(): StopReason | undefined {
    return this.first;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Stops the execution. Does nothing if it has been stopped before. */
  request(reason: StopReason): void {
    if (this.first) return;
    this.first = reason;
    this.abort.abort(new DOMException(`The run was stopped: ${reason.why}.`, 'AbortError'));
  }

  /** Stops the execution after `ms`, in place of an earlier call's time. */
  requestAfter(ms: number, toReason: () => StopReason): void {
    this.clearTimer();
    const delay = Math.min(Math.max(0, ms), LONGEST_TIMER_MS);
    this.timer = setTimeout(() => this.request(toReason()), delay);
  }

  clearTimer(): void {
    clearTimeout(this.timer);
  }

  /** Resolves when the execution has been stopped and the agent has had time to notice. */
  settled(): Promise<undefined> {
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => setTimeout(resolve, STOP_GRACE_MS), { once: true });
    });
  }
}
