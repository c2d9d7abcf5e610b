import type { ToolRun } from '../tools/agent-tool.js';

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
}

export interface AgentInput {
  /** What the person said. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The run as its agent sees it. */
export interface AgentContext extends ToolRun {
  /** Which owner of the run this is: 1, or more after a takeover. The agent continues from what it has saved itself. */
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
   * Appends what was emitted so far before it returns. What the agent stores next, in the same turn of the event loop,
   * then commits together with it where the storage can: a step's checkpoint and its `step-end`.
   */
  commitNow(): void;
}
