import type { Principal } from '../principal.js';
import type { StepStart } from '../events/run-event.js';
import type { ToolRun } from '../tools/agent-tool.js';
import type { ClientTool } from '../events/client-tool.js';

/** Answers a message in a thread, and tells what it does while it does it. Register it by name in `AgentRegistry`. */
export abstract class Agent {
  abstract readonly name: string;
  /** One line for people who choose among agents. */
  abstract readonly description: string;
  /** Principals with one of these roles see it. Default: everybody. */
  readonly roles?: readonly string[] | undefined;

  /**
   * Runs until the answer is complete, emitting everything between `run-start` and `end`, which the caller writes.
   * Parts, tools and steps that are still open when it returns or throws are closed by the caller.
   *
   * @throws AppError when the failure may be shown; anything else is shown as an internal error. When `context.signal`
   *   is aborted it stops within milliseconds, by throwing or returning: the caller knows why it was aborted.
   */
  abstract run(input: AgentInput, context: AgentContext): Promise<void>;

  /**
   * Refuses a start that it could not work on, before anything is stored. Default: takes everything.
   *
   * @throws AppError REQUEST_INVALID with what is wrong, in words that are safe to show
   */
  check?(input: AgentInput, principal: Principal): Promise<void>;
}

export interface AgentInput {
  /** The person's message. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Values that the start gave beside the message. Absent: nothing. */
  readonly given?: GivenInput;
}

/** Values that a start gives to its agent beside the message, those of a graph under LangGraph's names. Plain JSON. */
export interface GivenInput {
  /** The graph's own input. Its `messages` may have parts, and others before the one that the person says. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** True for a run without a message: the graph gets only its input. */
  readonly isWithoutMessage?: boolean;
  readonly context?: Readonly<Record<string, unknown>>;
  /** Only what the agent has on its list. */
  readonly configurable?: Readonly<Record<string, unknown>>;
  /** Supersteps after which the run ends as RUN_LIMIT, where the agent's own limit is not lower. */
  readonly recursionLimit?: number;
  /** Tools that the front end runs. */
  readonly clientTools?: readonly ClientTool[];
}

/** The run as its agent sees it. */
export interface AgentContext extends ToolRun {
  /**
   * Key of the agent's memory of the thread. Use it and not `threadId`, which other owners may use too: it is unique over all
   * owners, and never used again once the thread is deleted.
   */
  readonly threadKey: string;
  /** Number of this owner of the run: 1, or more after a takeover. The agent continues from what it has saved itself. */
  readonly attempt: number;
  /** The owner's fencing number: what it stores carries it, and is refused once the run has another owner. */
  readonly epoch: number;
  /**
   * The thread's id was minted for this run, and this is the run's first owner: what an agent keeps of threads it need not look up.
   * False does not mean that there is something.
   */
  readonly isNewThread: boolean;
  /**
   * The steps that earlier owners of the run have ended, and that nothing has taken back since: what they put out stays. An
   * agent that does such a step over all the same has to emit a `step-reset` first.
   */
  readonly completedSteps: ReadonlySet<string>;
  /**
   * Returns the run before this one in the thread when that was stopped or failed; else nothing. An agent stores what it has finished; what it was
   * saying when it was stopped is in the log alone.
   */
  readStoppedBefore?(): Promise<StoppedRun | undefined>;
  /**
   * Returns the steps that earlier owners of the run have ended and that nothing has taken back, with the text parts that people were shown in each. For
   * agents that go on in the middle, and may have to take back words that they have not said themselves.
   */
  spokenBefore?(): Promise<readonly SpokenBefore[]>;
  /**
   * Appends what was emitted so far before it returns. What the agent stores next, in the same turn of the event loop,
   * then commits together with it where the storage can: a step's checkpoint and its `step-end`.
   */
  commitNow(): void;
}

/** A run that was stopped or failed, as the next one in its thread sees it. */
export interface StoppedRun {
  /** The parts of its answer that people were shown. */
  readonly texts: readonly string[];
  /** True if it failed because a content filter of the model provider refused what was said in it (`MODEL_FILTERED`). */
  readonly isFiltered: boolean;
}

/** A step of an earlier owner of the run. */
export interface SpokenBefore {
  readonly started: StepStart;
  readonly texts: readonly string[];
}
