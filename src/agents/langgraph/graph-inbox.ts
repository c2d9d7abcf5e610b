import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { Command, RunControl } from '@langchain/langgraph';
import type { MessagePut } from '../../events/run-event.js';
import type { AgentContext } from '../agent.js';
import { inputNames } from './graph-input.js';
import type { CompiledGraph } from './graph-source.js';
import { ANSWER_TO_COME } from './repair-history.js';
import type { PutCheckpoint, RunCheckpoints } from './run-checkpoints.js';
import type { Prepared } from './start-input.js';
import type { ThreadMessages } from './thread-state.js';

/** Chunk of LangGraph's stream. */
export type GraphChunk = [namespace: string[], mode: string, payload: unknown];

export type GraphStreamOptions = NonNullable<Parameters<CompiledGraph['stream']>[1]>;

/** A graph that takes messages, and its run. */
interface SteeredGraph {
  readonly graph: CompiledGraph;
  readonly options: GraphStreamOptions;
  /** Reads the state that the graph has reached. */
  readonly read: () => Promise<ThreadMessages>;
  /** The ids of messages that no step says, to which those that come are added. */
  readonly history: Set<unknown>;
  /** Tells all that the graph has said so far, before a person speaks. */
  readonly endTurn: () => Promise<void>;
}

/**
 * Brings messages that come while a graph works into its state. The graph need not know of it: it is stopped between two supersteps, gets the messages as an
 * update of its state, and goes on with the steps that are next. Once it is done, what has come since is the input of another turn. Without
 * messages it does nothing.
 */
export class GraphInbox {
  private control = new RunControl();
  /** The messages that are part of the state which is stored next. */
  private arriving: readonly MessagePut[] = [];
  /** True if that state has them, false if it is the one before. */
  private isUpdate = false;
  /** Supersteps of this turn. They count for its limit as if the graph had not been stopped in between. */
  private steps = 0;
  private maxSteps = Infinity;

  private readonly takesMessages: boolean;

  /** @param graph one whose input has no messages gets none: of one that a function makes, that is not known before the run */
  constructor(
    private readonly context: AgentContext,
    graph: CompiledGraph,
  ) {
    this.takesMessages = inputNames(graph)?.includes('messages') ?? true;
  }

  /**
   * Called with each state of the graph itself, in the turn of the event loop that stores it.
   *
   * @param tellOfState tells that the state is reached: after what is in it, and before what is not
   * @returns true if it has told of messages, and the state must not wait to be stored
   */
  stateReached(
    { checkpoint, metadata }: Pick<PutCheckpoint, 'checkpoint' | 'metadata'>,
    tellOfState: () => void,
  ): boolean {
    if (metadata.source === 'input' && this.arriving.length > 0) {
      if (!this.isUpdate) tellOfState();
      this.tell(this.arriving);
      if (this.isUpdate) tellOfState();
      this.arriving = [];
      return true;
    }
    tellOfState();
    if (metadata.source !== 'loop') return false;
    this.steps += 1;
    // The only moment at which no step of a subgraph is under way that would be stopped as well.
    if (this.hasMessages && this.steps < this.maxSteps && mayTake(checkpoint.channel_values['messages']))
      this.control.requestDrain('message');
    return false;
  }

  /** Streams the graph from its input until it is done and no message waits. */
  async *stream(input: Prepared, steered: SteeredGraph): AsyncGenerator<GraphChunk> {
    let next: Prepared | undefined = input;
    this.maxSteps = steered.options.recursionLimit ?? Infinity;
    while (next !== undefined) {
      const isStopped: boolean = yield* this.streamOnce(next, steered);
      next = this.hasMessages || isStopped ? await this.goOn(steered, isStopped) : undefined;
    }
  }

  private get hasMessages(): boolean {
    return this.takesMessages && (this.context.hasMessages?.() ?? false);
  }

  /** @returns true if the graph was stopped for a message */
  private async *streamOnce(
    input: Prepared,
    { graph, options }: SteeredGraph,
  ): AsyncGenerator<GraphChunk, boolean> {
    this.control = new RunControl();
    const { control } = this;
    // LangGraph takes no input for a state that was stored under the same id of a run: it takes it for a retry.
    const metadata = this.arriving.length > 0 && { metadata: { ...options.metadata, run_id: undefined } };
    const given = { ...options, ...metadata, control, ...this.stepsLeft };
    try {
      yield* (await graph.stream(input, given)) as AsyncIterable<GraphChunk>;
      return false;
    } catch (error) {
      if (control.drainRequested && (error as Error | undefined)?.name === 'GraphDrained') return true;
      throw error;
    }
  }

  private get stepsLeft(): Pick<GraphStreamOptions, 'recursionLimit'> {
    return this.steps === 0 ? {} : { recursionLimit: Math.max(1, this.maxSteps - this.steps) };
  }

  /** Returns the input with which the graph goes on; undefined if it is done, or waits for an answer. */
  private async goOn(
    { read, history, endTurn }: SteeredGraph,
    isStopped: boolean,
  ): Promise<Prepared | undefined> {
    const { seen, snapshot } = await read();
    if (!isStopped && (snapshot?.next.length ?? 0) > 0) return undefined;
    // Unless the state cannot take them here, after all.
    const taken = isStopped && !mayTake(seen) ? [] : ((await this.context.takeMessages?.()) ?? []);
    const known = new Set(seen.map(({ id }) => id));
    // An owner before has stored these, and could not tell of them any more.
    this.tell(taken.filter(({ messageId }) => known.has(messageId)));
    this.arriving = taken.filter(({ messageId }) => !known.has(messageId));
    if (this.arriving.length === 0) return isStopped ? null : undefined;
    const messages = alternating(this.arriving, seen.at(-1));
    for (const { id } of messages) history.add(id);
    this.isUpdate = isStopped;
    if (isStopped) return new Command({ update: { messages } });
    await endTurn();
    this.steps = 0;
    return { messages };
  }

  private tell(messages: readonly MessagePut[]): void {
    const { emit, attempt } = this.context;
    for (const message of messages) {
      const step = { stepId: message.messageId, name: 'message', attempt };
      void emit({ type: 'step-start', ...step });
      void emit(message);
      void emit({ type: 'step-end', ...step });
    }
  }
}

/** Returns the messages as a conversation has them. Roles have to alternate for some providers: a person who speaks before the answer gets a placeholder. */
function alternating(arriving: readonly MessagePut[], last: BaseMessage | undefined): BaseMessage[] {
  let isAnswered = AIMessage.isInstance(last);
  return arriving.flatMap(({ messageId: id, text = '' }) => {
    const said = new HumanMessage({ id, content: text });
    const before = isAnswered ? [] : [new AIMessage({ id: `${id}-mended`, content: ANSWER_TO_COME })];
    isAnswered = false;
    return [...before, said];
  });
}

/** Stores a state at once that was told of. */
export function storeTold(
  wasTold: boolean,
  { commitNow }: Pick<AgentContext, 'commitNow'>,
  checkpoints: Pick<RunCheckpoints, 'store'>,
): void {
  if (!wasTold) return;
  commitNow();
  void checkpoints.store();
}

/**
 * True if a person may speak after these messages: each call has its result, and the last message is a result or a person's. After words of
 * the assistant come steps that work on them.
 */
function mayTake(messages: unknown): boolean {
  // A channel that stores its changes only.
  if (!Array.isArray(messages)) return messages === undefined;
  const all = messages as readonly BaseMessage[];
  const index = all.findLastIndex((message) => !ToolMessage.isInstance(message));
  const before = all[index];
  const results = all.slice(index + 1) as ToolMessage[];
  if (results.length === 0) return HumanMessage.isInstance(before);
  const answered = new Set(results.map(({ tool_call_id: id }) => id));
  return AIMessage.isInstance(before) && (before.tool_calls ?? []).every(({ id }) => answered.has(id ?? ''));
}
