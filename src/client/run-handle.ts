import type { RunView } from '../events/run-view.js';
import { ChatError } from './chat.error.js';
import type { ChatService } from './chat.service.js';
import type { RunRecord, StartedRun } from './chat.types.js';
import type { RunObserver, RunSnapshot, RunStream, Subscription } from './run-stream.js';

/** Provides what the protocols share. */
export class RunHandle implements RunStream {
  readonly runId: string;
  readonly threadId: string;

  constructor(
    private readonly chat: Pick<ChatService, 'follow' | 'cancel'>,
    started: StartedRun,
  ) {
    this.runId = started.runId;
    this.threadId = started.threadId;
  }

  subscribe(observer: RunObserver | ((snapshot: RunSnapshot) => void)): Subscription {
    return this.chat.follow(this.runId).subscribe(observer);
  }

  /** Asks the run to stop. What it has said until then is kept. @throws ChatError */
  cancel(): Promise<RunRecord> {
    return this.chat.cancel(this.runId);
  }

  /**
   * The view at the run's end, whatever its outcome. Follows the run with a connection of its own.
   *
   * @throws ChatError when the run can no longer be followed; the signal's reason when that is aborted
   */
  result({ signal }: { readonly signal?: AbortSignal } = {}): Promise<RunView> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      let view: RunView;
      const subscription = this.subscribe({
        next: (snapshot) => (view = snapshot.view),
        complete: () => settle(() => resolve(view)),
        error: (error) => settle(() => reject(error)),
      });
      const settle = (outcome: () => void) => {
        signal?.removeEventListener('abort', abort);
        outcome();
      };
      const abort = () => {
        subscription.unsubscribe();
        reject(signal?.reason as ChatError);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
