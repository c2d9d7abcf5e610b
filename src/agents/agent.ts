import type { Principal } from '../principal.js';
import type { NewFile, PlacedFile } from '../events/message-part.js';
import type { MessagePut, StepStart } from '../events/run-event.js';
import type { MessageViewPart } from '../events/view-parts.js';
import type { ToolRun } from '../tools/agent-tool.js';
import type { ClientTool } from '../events/client-tool.js';
import type { TitleContext } from './title-context.js';

/** Answers a message in a thread, and tells what it does while it does it. Register it by name in `AgentRegistry`. */
export abstract class Agent {
  abstract readonly name: string;
  /** One line for people who choose among agents. */
  abstract readonly description: string;
  /** Principals with one of these roles see it. Default: everybody. */
  readonly roles?: readonly string[] | undefined;

  /** True for a graph of fixed steps; default false: an agent that decides itself what it does. For traces, where they have different names. */
  readonly isWorkflow?: boolean;

  /**
   * True if every run that it completes leaves a checkpoint under `threadKey`, as a graph's runs do. A run that is asked after one whose checkpoint is gone
   * then fails rather than go on from nothing. Default false.
   */
  readonly leavesCheckpoints?: boolean;

  /** True if a start may change the state of its graph, by `stateChange`. Default false: such a start is refused. */
  readonly takesStateChanges?: boolean;

  /** True if its runs keep and tell each of their states. Default: only those whose start asks for it. */
  readonly keepsStates?: boolean;

  /** False if its input has no messages. Absent: it takes them, or it is not known. */
  readonly takesMessages?: boolean | undefined;

  /**
   * True if it takes messages while a run goes on, by {@link AgentContext.takeMessages}. Default false: a message to one of its runs is refused, and waits for
   * the run's end with its client.
   */
  readonly isSteerable?: boolean;

  /** Values that a run gets where its start gives none. People see them as those of its assistant. Default: none. */
  readonly defaults?: AgentDefaults | undefined;

  /**
   * Media types of files that it takes in a message, and ranges of them such as `image/*`. A start with another file is refused with FILE_NOT_ACCEPTED.
   * Default: none.
   */
  readonly accepts?: readonly string[] | undefined;

  /** Questions that a page may offer to people who begin a conversation with it; at most 12, of at most 300 characters. Default: none. */
  readonly suggestions?: readonly string[] | undefined;

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

  /**
   * Returns the files that messages of the start's own input have in them. They are checked as files of a message are, before anything is stored. Default:
   * there are none.
   */
  listFiles?(given: GivenInput): readonly NewFile[];

  /**
   * Makes a title for a conversation that has begun so, of a few words. Called outside of runs, and told by the signal when it takes too long. What its model
   * calls use is charged if it reports them to the context. Default: conversations keep the first line of their first message.
   */
  makeTitle?(
    begun: { readonly question: string; readonly answer: string },
    signal: AbortSignal,
    context: TitleContext,
  ): Promise<string>;

  /** Describes the agent for tools that draw it and for forms that ask for its input. Default: nothing is known. */
  describe?(principal: Principal, wanted?: DescriptionParts): Promise<AgentDescription>;
}

/** Values of a run beside its message, from those who run the service. */
export type AgentDefaults = Pick<GivenInput, 'configurable' | 'context'>;

/** The parts of a description that are asked for. */
export interface DescriptionParts {
  /** False to leave out the schemas, which may take seconds to read. Default true. */
  readonly hasSchemas: boolean;
}

/** The parts of an agent, and what it takes and gives. */
export interface AgentDescription {
  readonly nodes: readonly { readonly id: string; readonly type: string; readonly name: string }[];
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    /** True if the agent decides at run time whether to go there. */
    readonly isConditional: boolean;
  }[];
  readonly schemas: AgentSchemas;
  /** The schemas of the graphs that are nodes of it, at any depth, by the names of the nodes that lead there: `research|writer`. Default: none. */
  readonly subgraphs?: Readonly<Record<string, AgentSchemas>>;
}

/** JSON schemas of what an agent takes and gives. Absent: unknown. */
export interface AgentSchemas {
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
  readonly state?: JsonSchema;
  readonly context?: JsonSchema;
}

type JsonSchema = Readonly<Record<string, unknown>>;

export interface AgentInput {
  /** The person's message. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Values that the start gave beside the message. Absent: nothing. */
  readonly given?: GivenInput;
}

/** Values that a start gives to its agent beside the message, those of a graph under LangGraph's names. Plain JSON. */
export interface GivenInput {
  /**
   * The graph's own input, for agents that take more than a message. A value that does not fit the agent's schema is refused. Its `messages` may
   * have parts, and others before the one that the person says.
   */
  readonly input?: Readonly<Record<string, unknown>>;
  /** True if keys of the input that the graph does not have are left out, as LangGraph's servers do. Default false: such a start is refused. */
  readonly dropsUnknownKeys?: boolean;
  /** True if the message is only for people, as a text for the input: the graph does not get it. */
  readonly isWithoutMessage?: boolean;
  /** The graph's `runtime.context`, beside the principal. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Values of LangGraph's `configurable` that the agent has on its list. */
  readonly configurable?: Readonly<Record<string, unknown>>;
  /** Supersteps after which the run fails with RUN_LIMIT, unless the agent's own limit is lower. */
  readonly recursionLimit?: number;
  /** Names of nodes before which the graph stops and asks whether to continue; `*` means all. Default: those that it was compiled with. */
  readonly interruptBefore?: readonly string[] | '*';
  /** Names of nodes after which the graph stops and asks; `*` means all. Default: those that it was compiled with. */
  readonly interruptAfter?: readonly string[] | '*';
  /** The files of the message. Each has a `fileId` or a `url`; never its bytes. */
  readonly files?: readonly PlacedFile[];
  /** Change of the graph's state, which the run makes instead of answering a message. For agents with {@link Agent.takesStateChanges}. */
  readonly stateChange?: GivenStateChange;
  /** The id of a state in the middle of the run before, from which this one goes on: of a `checkpoint` event in that run's log. Default: its last state. */
  readonly fromCheckpoint?: string;
  /** True if each state of the run is kept and told, whatever the agent keeps by itself. Default false. */
  readonly keepsStates?: boolean;
  /** True if the run takes the place of runs that were active when it was asked: once it begins, those that were cancelled for it are deleted. */
  readonly rollsBack?: boolean;
  /** Tools that the front end runs: a call of one ends the run `awaiting-input`, and its result starts the run that continues it. */
  readonly clientTools?: readonly ClientTool[];
}

/** A change of a graph's state, as LangGraph's `updateState` makes it, or its `Command` without answers to interrupts. */
export interface GivenStateChange {
  /** The updates that nodes would have returned. Empty: nothing changes. */
  readonly updates: readonly {
    /** Values by key of the state. Null: none. */
    readonly values: Readonly<Record<string, unknown>> | null;
    /** The node that has returned them, and whose edges say what is next. Default: the node that ran last. */
    readonly asNode?: string;
  }[];
  /** True if the graph goes on after the change. Default false: the run has done its work, and waits if a node is next. */
  readonly continues?: boolean;
  /** The nodes that run next, if it goes on: each alone, or with an input of its own. Default: those that are next. */
  readonly goto?: readonly (string | { readonly node: string; readonly input: unknown })[];
  /** The messages of the thread that `updates` name, by the id under which people know them. */
  readonly known?: Readonly<Record<string, KnownMessage>>;
}

/** A message of a thread as its agent can find it in its state. */
export type KnownMessage =
  /** With its id in the state. */
  | { readonly kind: 'user'; readonly id: string }
  | ({ readonly kind: 'result'; readonly toolCallId: string } & KnownPlace)
  | ({
      readonly kind: 'assistant';
      readonly text: string;
      readonly toolCallIds: readonly string[];
    } & KnownPlace);

/** The place of a message among those of its thread that look the same. Absent: it is the last of them. */
export interface KnownPlace {
  /** The number of messages that look the same, with itself. */
  readonly alike?: number;
  /** The number of those after it. */
  readonly alikeAfter?: number;
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
  /** The run before this one in its branch. Null: none, this run starts the thread over. Absent: the run before it in time, if there is one. */
  readonly parentId?: string | null;
  /**
   * Returns the earlier runs of this run's branch, the nearest first, without runs of other branches. Of the data that an agent keeps under
   * `threadKey`, only what belongs to this run or to one of these counts.
   */
  ancestors?(): AsyncIterable<Ancestor>;
  /**
   * Returns what only the logs have of the earlier runs of the branch that were stopped or failed, one after the other; undefined if the nearest one
   * was neither. An agent stores finished steps: only the log has the text that was cut off, and the question of a run that never started.
   *
   * @param storedBy the run whose state the agent continues: runs before it are left out
   */
  readStoppedBefore?(storedBy?: string): Promise<StoppedRun | undefined>;
  /**
   * Returns the steps that earlier owners of the run have ended and that nothing has taken back, with what people were shown in each. For
   * agents that go on in the middle, and may have to take back words that they have not said themselves.
   */
  spokenBefore?(): Promise<readonly SpokenBefore[]>;
  /**
   * Appends what was emitted so far before it returns. What the agent stores next, in the same turn of the event loop,
   * then commits together with it where the storage can: a step's checkpoint and its `step-end`.
   */
  commitNow(): void;
  /** True if people have sent messages to the run that are not in its log, and it was not stopped. Costs nothing: ask before each step, and after the last. */
  hasMessages?(): boolean;
  /**
   * Takes the messages that people have sent to the run, the oldest first, as the events that tell of them. Emit each where it enters the conversation: until its
   * event is in the log, the next owner of the run is given it again. A run does not complete before its agent has taken all.
   */
  takeMessages?(): Promise<readonly MessagePut[]>;
}

/** An earlier run of a branch. */
export interface Ancestor {
  readonly id: string;
  readonly status: string;
  /** True if runs of other branches were started between it and the next run of its branch. */
  readonly isBeforeOthers: boolean;
  /** The id of the state in the middle of the run before it from which it went on. Absent: the last state of that run. */
  readonly fromCheckpoint?: string;
  /** False if its agent leaves no checkpoint of the thread. Absent: it is not known. */
  readonly leavesCheckpoint?: boolean;
}

/** Runs that were stopped or failed, one after the other, as the next one in their thread sees them. */
export interface StoppedRun {
  /** The parts of their answers that people were shown. */
  readonly texts: readonly string[];
  /** The questions of those that were cancelled before they began, the oldest first. */
  readonly unheard: readonly UnheardQuestion[];
  /** True if one failed because a content filter of the model provider refused what was said in it (`MODEL_FILTERED`). */
  readonly isFiltered: boolean;
}

/** The question of a run that was cancelled before it began. */
export type UnheardQuestion = Pick<AgentInput, 'message' | 'given'> & Pick<AgentContext, 'messageId'>;

/** A step of an earlier owner of the run. */
export interface SpokenBefore {
  readonly started: StepStart;
  readonly parts: readonly MessageViewPart[];
}
