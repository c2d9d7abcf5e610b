import type { Cursor } from '../../events/cursor.js';
import type { RecordedEvent } from '../../events/recorded-event.js';

/** Everything that is known of one run after the dust has settled: what is stored, and what everybody saw of it. */
export interface RunHistory {
  readonly runId: string;
  /** What the storage holds. */
  readonly log: readonly RecordedEvent[];
  /** What the storage acknowledged, where somebody wrote that down. What a reader saw counts as acknowledged anyhow. */
  readonly acknowledged?: readonly RecordedEvent[];
  readonly readers: readonly Reader[];
  /** The words of the run in the agent's own memory, where it has one. They have to be the words that viewers see. */
  readonly agentText?: string;
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
}

export type ObservedFrame =
  | { readonly kind: 'ready' }
  /** The cursor could not be honoured: what comes next starts at `from`, and the reader drops what it had. */
  | { readonly kind: 'reset'; readonly from: number }
  | { readonly kind: 'event'; readonly recorded: RecordedEvent };

/** What can be wrong, by the names that Jepsen's Kafka tests gave it, and then by the rules of our own protocol. */
export const ANOMALIES = {
  'lost-write': 'An event that was acknowledged, or that a reader saw, is not in the log.',
  duplicate: 'A reader got an event that it had already.',
  'poll-skip': 'A reader got an event, but not the one before it.',
  'nonmonotonic-poll': 'A reader got an event that lies before the place that it asked to go on from.',
  'inconsistent-offsets':
    'The same place in a run holds different events, for a reader or in what was acknowledged.',
  'divergent-view': 'A reader that saw the end shows something else than the log says.',
  'no-end': 'The run, or a reader that waited for it, has no end.',
  'many-ends': 'The run ends more than once.',
  'after-end': 'Something follows the end.',
  'epoch-order': 'An event of an older owner follows one of a newer owner.',
  'missing-resume': 'A new owner went on without saying so first.',
  'missing-step-reset': 'A step began again, and what it had said before was not taken back.',
  'unclosed-item': 'A step, a part or a tool call was still open at the end.',
  'stray-item': 'Words, progress or an end of something that was not open.',
  'final-text': "The words in the log are not those in the agent's own memory.",
} as const satisfies Record<string, string>;

export type AnomalyName = keyof typeof ANOMALIES;

export interface Anomaly {
  readonly name: AnomalyName;
  readonly runId: string;
  /** Where: the reader, the seq, and what was expected. */
  readonly detail: string;
}
