import type { Transcript } from '../transcript/transcript.js';
import type { MomentName } from './langgraph-checkpoints.js';
import type { StreamMode } from './run-stream-chunks.js';
import type { LoggedState } from './state-owners.js';

/** The facts beside its log that the mapping of a run depends on. */
export interface StreamedRun {
  readonly runId: string;
  readonly threadId: string;
  /** The thread up to the run's question; carried on with what is mapped. */
  readonly transcript: Transcript;
  readonly modes: ReadonlySet<StreamMode>;
  /** True if the client wants the output of subgraphs under their namespaces, and that of agents that tools call. Default: false. */
  readonly hasSubgraphs?: boolean;
  /** The message that the run answers. Absent: none. */
  readonly questionId?: string | undefined;
  /** The run as its messages and states name it. Default: `runId`. */
  readonly stateRunId?: string;
  /** Names a state that the log names. Default: by the run and its id. */
  readonly nameState?: (state: LoggedState) => MomentName | undefined;
  /** False if the state of its agent has no messages. Default: true. */
  readonly hasMessages?: boolean;
}
