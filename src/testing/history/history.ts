import type { Cursor } from '../../events/cursor.js';
import type { RecordedEvent } from '../../events/recorded-event.js';

/** Everything that is known of one run after the dust has settled: what is stored, and what everybody saw of it. */
export interface RunHistory {
  readonly runId: string;
  /** The log in the storage. */
  readonly log: readonly RecordedEvent[];
  /** Events that the storage acknowledged, if they were written down. What a reader saw counts as acknowledged anyhow. */
  readonly acknowledged?: readonly RecordedEvent[];
  readonly readers: readonly Reader[];
  /** Times at which the test broke something on purpose. A stream that breaks at another time is an anomaly. Default: never. */
  readonly outages?: readonly Outage[];
  /**
   * The texts of the run's messages in the agent's own memory, where it has one, in their order and without empty ones. Viewers have to see exactly these:
   * each in one or several neighbouring parts, no part with text of two, nothing that was replaced or removed.
   */
  readonly agentMessages?: readonly string[];
}

/** One viewer of one run, over all its connections. */
export interface Reader {
  readonly name: string;
  /** In the order in which they were made. */
  readonly connections: readonly Connection[];
  /** True when it left of its own accord: it need not have seen the end. */
  readonly left?: boolean;
}

export interface Connection {
  /** The event id that the reader asked to go on from; undefined: from the beginning. */
  readonly after?: Cursor | undefined;
  /** In the order in which they arrived. */
  readonly frames: readonly ObservedFrame[];
  /** The end of the connection, if it is known. What a reader closed itself was not cut. */
  readonly closed?: { readonly by: 'reader' | 'other'; readonly at: number } | undefined;
}

/** A time in which streams may break, in milliseconds since the epoch. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export type ObservedFrame =
  | { readonly kind: 'ready' }
  /** The cursor could not be honoured: what comes next starts at `from`, and the reader drops what it had. */
  | { readonly kind: 'reset'; readonly from: number }
  | { readonly kind: 'event'; readonly recorded: RecordedEvent };

/** Anomalies by the names that Jepsen's Kafka tests gave them, and then by the rules of our own protocol. */
export const ANOMALIES = {
  'lost-write': 'An event that was acknowledged, or that a reader saw, is not in the log.',
  duplicate: 'A reader got an event that it had already.',
  'poll-skip': 'A reader got an event, but not the one before it.',
  'nonmonotonic-poll': 'A reader got an event that lies before the place that it asked to go on from.',
  'inconsistent-offsets':
    'The same place in a run holds different events, for a reader or in what was acknowledged.',
  'divergent-view': 'A reader that saw the end shows something else than the log says.',
  'no-end': 'The run, or a reader that waited for it, has no end.',
  'stream-cut': 'A stream ended before the end of its run, and nobody had broken anything.',
  'many-ends': 'The run ends more than once.',
  'after-end': 'Something follows the end.',
  'epoch-order': 'An event of an older owner follows one of a newer owner.',
  'missing-resume': 'A new owner went on without saying so first.',
  'missing-step-reset': 'A step began again, and what it had said before was not taken back.',
  'unclosed-item': 'A step, a part or a tool call was still open at the end.',
  'stray-item': 'Words, progress or an end of something that was not open.',
  'final-text': "The texts in the log are not the messages in the agent's own memory.",
} as const satisfies Record<string, string>;

export type AnomalyName = keyof typeof ANOMALIES;

export interface Anomaly {
  readonly name: AnomalyName;
  readonly runId: string;
  /** Details: the reader, the seq, and the expectation. */
  readonly detail: string;
}
