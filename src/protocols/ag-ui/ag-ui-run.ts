import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunState } from '../../events/run-state.js';
import type { AgUiMessage } from './ag-ui-events.js';

/** The facts beside its log that the mapping of a run depends on; the same for all readers of one dialect. */
export interface AgUiRun {
  readonly threadId: string;
  /** As the client calls it. */
  readonly runId: string;
  /** The messages from before the run, the question last. For a run that continues after approvals: the messages after the question. */
  readonly history: readonly AgUiMessage[];
  /** Events of the runs before this one that belong to its message, if it continues them after approvals. Default: nothing. */
  readonly earlier?: readonly RecordedEvent[];
  /** The state of the thread before the run. Default: none. */
  readonly state?: RunState | undefined;
  /** Ids of inputs that were answered elsewhere while others are missing. Default: nothing. */
  readonly decidedIds?: ReadonlySet<string>;
  /** Major version of the client's protocol. Clients before 1.0 (`0`) refuse the outcome `cancelled`, and do not know agents inside an agent. */
  readonly dialect: '1.0' | '0';
}
