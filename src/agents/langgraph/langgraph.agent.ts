import { ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { BaseChannel, isDeltaChannel } from '@langchain/langgraph/channels';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import type { Emit } from '../../events/emit.js';
import { CHECKPOINT_FENCE, type CheckpointFence } from '../../storage/checkpoint.fence.js';
import { keepsAll } from '../../storage/checkpoint.keeping.js';
import type { ToolRun } from '../../tools/agent-tool.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { Agent, type AgentContext, type AgentInput } from '../agent.js';
import { ACTIVE_RUN, type ActiveRun } from './active-run.js';
import { GraphCallbacks } from './graph.callbacks.js';
import type { CompiledGraph } from './graph.loader.js';
import { LangGraphMapper, stepsOf, type GraphFact } from './langgraph.mapper.js';
import { toModelError } from './model.errors.js';
import { RunCheckpointer } from './run.checkpointer.js';
import { RunCheckpoints } from './run.checkpoints.js';
import { humanMessageId, messagesToAdd } from './thread.messages.js';
import { isAwaitingApproval } from './tool.middleware.js';
import { ToolCallbacks } from './tool.callbacks.js';

export interface LangGraphAgentOptions {
  readonly name: string;
  readonly description: string;
  readonly roles?: readonly string[];
  /** Any compiled graph whose state has `messages`. It gets our checkpointer, whatever it was compiled with. */
  readonly graph: CompiledGraph;
  readonly checkpointer: BaseCheckpointSaver;
  readonly tracking: ToolTrackingService;
  /** Supersteps after which a run ends as RUN_LIMIT. Default 100. */
  readonly recursionLimit?: number;
}

/** Drives a compiled LangGraph graph, and tells what it does in canonical events. */
export class LangGraphAgent extends Agent {
  readonly name: string;
  readonly description: string;
  override readonly roles: readonly string[] | undefined;
  private readonly graph: CompiledGraph;
  private readonly keepsAll: boolean;

  constructor(private readonly options: LangGraphAgentOptions) {
    super();
    this.name = options.name;
    this.description = options.description;
    this.roles = options.roles;
    this.graph = options.graph;
    this.graph.checkpointer = new RunCheckpointer(options.checkpointer);
    // A checkpoint that holds only what has changed is nothing without those before it.
    this.keepsAll = keepsAll(options.checkpointer) || Object.values(this.graph.channels).some(isDelta);
  }

  async run(input: AgentInput, context: AgentContext): Promise<void> {
    const { runId, threadId, epoch, signal } = context;
    const mapper = new LangGraphMapper(context);
    const emit = supersedingEmit(context);
    const tell = (fact: GraphFact): void | Promise<void> => emitAll(mapper.map(fact), emit);

    const toolSteps = new ToolSteps(emit);
    const run: ToolRun = {
      ...context,
      emit: toolSteps.emit,
      // Before a tool begins: what led to it comes first.
      recorded: async () => void (await Promise.all([checkpoints.store(), context.recorded()])),
    };
    const finish = (stepId: string, result: unknown) => {
      // What its tool node answered without making a call is still part of the step; the input of a run is not a step at all.
      if (mapper.isUnderWay(stepId)) tools.answered(messagesOf(result), stepId);
      return tell({ kind: 'step-finished', stepId });
    };
    const checkpoints = new RunCheckpoints(
      this.options.checkpointer,
      {
        isUnderWay: (stepId) => mapper.isUnderWay(stepId),
        finished: (stepId, writes) => {
          if (signal.aborted) return false;
          void finish(stepId, writes);
          context.commitNow();
          return true;
        },
      },
      { isNewThread: context.isNewThread, keepsAll: this.keepsAll },
    );
    const active: ActiveRun = {
      run,
      checkpoints,
      stepStarted: (namespace) => void tell({ kind: 'step-started', namespace }),
      isInsideTool: (namespace) => toolSteps.enclose(namespace),
    };
    const thread = context.isNewThread ? NO_MESSAGES : await this.threadOf(threadId, active);
    const history = new Set(thread.seen.map(({ id }) => id));
    const tools = new ToolCallbacks(this.options.tracking, active, history);
    const callbacks = new GraphCallbacks(tell, active.isInsideTool, tools, history);

    try {
      const stream = await this.graph.stream(inputOf(thread, input, context), {
        configurable: {
          thread_id: threadId,
          [CHECKPOINT_FENCE]: { runId, epoch } satisfies CheckpointFence,
          [ACTIVE_RUN]: active,
        },
        callbacks: [callbacks],
        // Tokens come through the callbacks: the `messages` mode loses some of them under load.
        streamMode: ['tasks', 'custom'],
        subgraphs: true,
        durability: 'sync',
        recursionLimit: this.options.recursionLimit ?? 100,
        signal,
      });
      for await (const [namespace, mode, payload] of stream as AsyncIterable<[string[], string, unknown]>) {
        if (mode === 'custom') await tell({ kind: 'written', value: payload });
        else await this.followTask(namespace, payload as TaskPayload, { tell, finish, context, checkpoints });
      }
    } catch (error) {
      throw signal.aborted ? error : explain(error, callbacks.modelFailure);
    } finally {
      // However it ends, the next turn knows what the person said.
      await checkpoints.store();
    }
  }

  private async followTask(
    namespace: readonly string[],
    task: TaskPayload,
    {
      tell,
      finish,
      context,
      checkpoints,
    }: {
      readonly tell: (fact: GraphFact) => void | Promise<void>;
      readonly finish: (stepId: string, result: unknown) => void | Promise<void>;
      readonly context: AgentContext;
      readonly checkpoints: RunCheckpoints;
    },
  ): Promise<void> {
    if (!('result' in task)) {
      // Announced beside its unfinished siblings, but not run again: its result is in the checkpoint.
      if (context.completedSteps.has(task.id)) return;
      await tell({ kind: 'step-started', namespace: [...namespace, `${task.name}:${task.id}`].join('|') });
      return;
    }
    const { interrupts = [] } = task;
    if (interrupts.some(({ value }) => !isAwaitingApproval(value))) {
      throw new AppError(
        'RUN_FAILED',
        'The agent stopped to ask a person in its own way, which cannot be answered here. Mark its tool with `approval` instead.',
      );
    }
    // The step stays open: it is not over, and the run that has the answer does it again.
    if (interrupts.length > 0) return;
    // Where a graph keeps no checkpoints, this is the only sign that a step is over.
    if (!checkpoints.holds(task.id)) await finish(task.id, task.result);
  }

  /** The messages of a thread, with and without what is written but in no checkpoint yet. */
  private async threadOf(threadId: string, active: ActiveRun): Promise<ThreadMessages> {
    const state = await this.graph.getState({
      configurable: { thread_id: threadId, [ACTIVE_RUN]: active },
    });
    const seen = messagesOf(state.values);
    // Only answers to tool calls are written by some tasks of a step and not yet by others.
    if (!ToolMessage.isInstance(seen.at(-1))) return { seen, stored: seen };
    return { seen, stored: messagesOf((await this.graph.getState(state.config)).values) };
  }
}

interface ThreadMessages {
  readonly stored: readonly BaseMessage[];
  readonly seen: readonly BaseMessage[];
}

const NO_MESSAGES: ThreadMessages = { stored: [], seen: [] };

/**
 * What the graph starts from: the new message; or nothing but its checkpoint, when an earlier owner has stored that already, or when
 * the run before this one stopped in the middle for an approval.
 */
function inputOf(
  thread: ThreadMessages,
  { message }: AgentInput,
  { messageId, attempt, decisions }: AgentContext,
): { messages: BaseMessage[] } | null {
  if (decisions.size > 0) return null;
  const isStored = attempt > 1 && thread.seen.some(({ id }) => id === humanMessageId(messageId));
  return isStored ? null : { messages: messagesToAdd(thread, { message, messageId }) };
}

/** LangGraph's `tasks` stream: a task begins, and then has a result. */
interface TaskPayload {
  readonly id: string;
  readonly name: string;
  readonly result?: unknown;
  readonly interrupts?: readonly { readonly value?: unknown }[];
}

/** Which steps have a tool running in them. What a model says inside a tool is the tool's business, not the answer. */
class ToolSteps {
  private readonly callsOf = new Map<string, string>();

  constructor(private readonly forward: Emit) {}

  readonly emit: Emit = (event) => {
    if (event.type === 'tool-start') this.callsOf.set(event.toolCallId, event.stepId);
    if (event.type === 'tool-end') this.callsOf.delete(event.toolCallId);
    return this.forward(event);
  };

  enclose(namespace: string): boolean {
    if (this.callsOf.size === 0) return false;
    const withTools = new Set(this.callsOf.values());
    return stepsOf(namespace).some(({ stepId }) => withTools.has(stepId));
  }
}

/** Takes back what an earlier owner's attempt at a step has put out, should the step begin once more although it was completed. */
function supersedingEmit({ attempt, completedSteps, emit }: AgentContext): Emit {
  return (event) => {
    if (event.type === 'step-start' && completedSteps.has(event.stepId)) {
      void emit({ type: 'step-reset', stepId: event.stepId, attempt, reason: 'retry' });
    }
    return emit(event);
  };
}

function emitAll(events: ReturnType<LangGraphMapper['map']>, emit: Emit): void | Promise<void> {
  let waiting: Promise<void> | undefined;
  for (const event of events) waiting = emit(event) || waiting;
  return waiting;
}

/** The messages among a task's writes, whether they come as a state update or as pairs of channel and value. */
function messagesOf(result: unknown): BaseMessage[] {
  if (Array.isArray(result)) {
    const pair = result.find((write: unknown) => Array.isArray(write) && write[0] === 'messages') as
      [string, unknown] | undefined;
    return asArray(pair?.[1]);
  }
  return asArray((result as { messages?: unknown } | null | undefined)?.messages);
}

function isDelta(channel: object): boolean {
  return channel instanceof BaseChannel && isDeltaChannel(channel);
}

function asArray(value: unknown): BaseMessage[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]) as BaseMessage[];
}

function explain(error: unknown, modelFailure: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'GraphRecursionError') {
    return new AppError('RUN_LIMIT', 'The agent took more steps than a run may have.', { cause: error });
  }
  return (modelFailure === undefined ? undefined : toModelError(modelFailure)) ?? error;
}
