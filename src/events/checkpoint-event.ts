/**
 * A state that the graph of the run has reached and keeps: the thread can be continued from it. Only in runs that keep each of their states. What is next
 * is known a moment later, and told by a second event about the same state.
 */
export interface CheckpointReached {
  readonly type: 'checkpoint';
  readonly checkpointId: string;
  /** The run that has reached it, where that is an earlier one. */
  readonly runId?: string;
  /** The state before it, and the run that has reached that, where it is an earlier one. */
  readonly parentId?: string;
  readonly parentRunId?: string;
  /** LangGraph's number of the superstep that led to it. */
  readonly step: number;
  readonly source: string;
  /** The steps that come next, a hundred at most. */
  readonly next?: readonly PlannedStep[];
}

/** A step of the graph that is about to begin. */
export interface PlannedStep {
  readonly stepId: string;
  readonly name: string;
  /** LangGraph's name for the reason why it runs: an edge, or a place among those that one step has sent. */
  readonly path?: readonly (string | number)[];
  /** True if it is a graph of its own. */
  readonly isGraph?: true;
}

/** A step of the graph is about to begin, for these reasons. Only in runs that keep each of their states. */
export interface TaskPlanned {
  readonly type: 'task';
  readonly stepId: string;
  readonly name: string;
  readonly triggers: readonly string[];
}
