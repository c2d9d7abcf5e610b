import type { RunView } from '../events/run-view.js';
import type { ChatError } from './chat.error.js';

/** State of a subscription's connection. `ended` and `failed` are final. */
export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /**
   * `retryInMs` counts from this snapshot. Absent while an attempt is under way or when the browser decides. `error` is the server's
   * reason why the last attempt failed, if it gave one.
   */
  | {
      readonly state: 'reconnecting';
      readonly attempt: number;
      readonly retryInMs?: number;
      readonly error?: ChatError;
    }
  /** The page is hidden and holds no stream. It continues from here when the page is shown again. */
  | { readonly state: 'paused' }
  | { readonly state: 'ended' }
  | { readonly state: 'failed'; readonly error: ChatError };

/** Everything there is to show at one moment. Unchanged parts of `view` stay `===` from one snapshot to the next. */
export interface RunSnapshot {
  readonly view: RunView;
  readonly connection: ConnectionState;
  /**
   * Time by which the server's clock is ahead of this machine's, in milliseconds; negative if it is behind, absent until it is
   * known. For clients that show durations: the times in `view` are the server's.
   */
  readonly serverAheadMs?: number;
}

/** Fits RxJS: `new Observable((observer) => chat.follow(runId).subscribe(observer))`. */
export interface RunObserver {
  /** At each event and each change of the connection; never before `subscribe` has returned. */
  next(snapshot: RunSnapshot): void;
  /** The run has ended and the last snapshot is whole. */
  complete?(): void;
  /** The run can no longer be followed; it may go on without us. */
  error?(error: ChatError): void;
}

export interface Subscription {
  /** Closes the connection, and leaves no timer and no listener. The run goes on. Harmless when repeated. */
  unsubscribe(): void;
}

/** A run that can be followed. Every subscription has its own connection. */
export interface RunStream {
  subscribe(observer: RunObserver | ((snapshot: RunSnapshot) => void)): Subscription;
}
