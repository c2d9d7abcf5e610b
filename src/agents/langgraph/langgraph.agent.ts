import { HumanMessage } from '@langchain/core/messages';
import { Command } from '@langchain/langgraph';
import { AppError } from '../../errors.js';
import type { StateChange } from '../../events/run-event.js';
import { CHECKPOINT_FENCE, type CheckpointFence } from './checkpoint-fence.js';
import { AgentGraph } from './agent-graph.js';
import { DEFAULT_RECURSION_LIMIT, type LangGraphAgentOptions } from './langgraph-agent.options.js';
import type { ToolRun } from '../../tools/agent-tool.js';
import { toClientTools } from '../../tools/client-tool.js';
import type { Principal } from '../../principal.js';
import { Agent, type AgentContext, type AgentInput, type GivenInput } from '../agent.js';
import { checkConfigurable, checkInput, makeContext } from './graph-input.js';
import { authConfigurable, configMetadata } from './run-config.js';
import { ACTIVE_RUN, type ActiveRun } from './active-run.js';
import { DEFAULT_RESULT_MAX_BYTES } from './arrivals.js';
import { ExposedState } from './exposed-state.js';
import { hasBreakpoints, isBreakpoint, GraphInterrupts, type TaskInterrupt } from './graph-interrupts.js';
import { GraphCallbacks } from './graph.callbacks.js';
import { correct, emitAll, supersedingEmit } from './graph-emit.js';
import { LangGraphMapper, getStepId, type GraphFact, type Namespace } from './langgraph.mapper.js';
import { readMessages } from './message-shape.js';
import { toModelError } from './model.errors.js';
import { RunCheckpoints } from './run-checkpoints.js';
import { humanMessageId, isLeftOpen } from './thread-messages.js';
import { SpokenMessages } from './spoken-messages.js';
import { prepareInput } from './start-input.js';
import {
  collectMessages,
  NO_MESSAGES,
  readBreakpoint,
  readSubgraphMessages,
  readThread,
  type ThreadMessages,
} from './thread-state.js';
import { ToolCallbacks } from './tool.callbacks.js';
import { ToolSteps } from './tool-steps.js';

/** Drives a compiled LangGraph graph, and tells what it does in canonical events. */
export class LangGraphAgent extends Agent {
  readonly name: string;
  readonly description: string;
  override readonly roles: readonly string[] | undefined;
  private readonly graph: AgentGraph;

  constructor(private readonly options: LangGraphAgentOptions) {
    super();
    this.name = options.name;
    this.description = options.description;
    this.roles = options.roles;
    this.graph = new AgentGraph(options);
  }

  async run(input: AgentInput, context: AgentContext): Promise<void> {
    const { runId, threadKey, epoch } = context;
    const failure = new AbortController();
    // What fails in one place of the graph ends the rest: nothing of it may go on behind the run's end.
    const signal = AbortSignal.any([context.signal, failure.signal]);
    const { principal } = context;
    const graph = await this.graph.get({ ...input, principal }, threadKey);
    const mapper = new LangGraphMapper(context);
    const emit = supersedingEmit(context, (stepId) => spoken.forget(stepId));
    const emitFact = (fact: GraphFact): void | Promise<void> => {
      if (fact.kind === 'step-started' && spoken.holds) say(spoken.release(fact.namespace));
      // A step that is not done over, but put right.
      return emitAll(mapper.map(fact), fact.kind === 'taken-back' ? context.emit : emit);
    };
    const say = (released: ReturnType<SpokenMessages['release']>) => {
      for (const late of released) void emitAll(mapper.map({ kind: 'said-late', ...late }), context.emit);
    };

    const toolSteps = new ToolSteps(emit);
    const clientTools = toClientTools(input.given?.clientTools);
    const run: ToolRun = {
      ...context,
      clientTools,
      signal,
      emit: toolSteps.emit,
      // Before a tool begins: what led to it comes first.
      recorded: async () => void (await Promise.all([checkpoints.store(), context.recorded()])),
    };
    const settled = new Set<string>();
    /** A node may answer without any model, in other words than its model, or take back what another has said. */
    const settle = (output: unknown, namespace: Namespace): void | Promise<void> => {
      settled.add(getStepId(namespace));
      if (active.isInsideTool(namespace)) return;
      let waiting: void | Promise<void> = undefined;
      for (const correction of spoken.settle(readMessages(output), namespace)) {
        waiting = correct(correction, namespace, emitFact) ?? waiting;
      }
      return waiting;
    };
    const finish = (stepId: string, result: unknown) => {
      // A node whose result was cached has not run, and one that handed over to the graph around it has returned nothing.
      if (mapper.isUnderWay(stepId) && !settled.has(stepId))
        void settle(result, mapper.findNamespace(stepId));
      // What its tool node answered without making a call is still part of the step; the input of a run is not a step at all.
      if (mapper.isUnderWay(stepId))
        tools.handleToolMessages(collectMessages(result), stepId, mapper.findNamespace(stepId));
      return emitFact({ kind: 'step-finished', stepId });
    };
    const checkpoints = new RunCheckpoints(
      this.options.checkpointer,
      {
        isUnderWay: (stepId) => mapper.isUnderWay(stepId),
        isFinished: (stepId, writes) => {
          if (signal.aborted) return false;
          void finish(stepId, writes);
          context.commitNow();
          return true;
        },
      },
      { isNewThread: context.isNewThread, keepsHistory: this.graph.keepsHistory(graph) },
    );
    const active: ActiveRun = {
      run,
      checkpoints,
      stepStarted: (namespace) => void emitFact({ kind: 'step-started', namespace }),
      isInsideTool: (namespace) => toolSteps.enclose(namespace),
      messagesNumbered: (messages) => spoken.learn(messages),
    };
    const thread = context.isNewThread ? NO_MESSAGES : await readThread(graph, threadKey, active);
    const stopped = isLeftOpen(thread) ? await context.readStoppedBefore?.() : undefined;
    const prepared = prepareInput(graph, thread, { ...input, stopped }, context);
    const runContext = await makeContext(graph, input.given?.context, toContext(input, principal));
    const interrupts = new GraphInterrupts(context, () => this.options.tracking.inputExpiresAt());
    if (context.attempt > 1 && hasBreakpoints(graph)) {
      const stop = await readBreakpoint(graph, threadKey, active);
      const goesOn = prepared === null || prepared instanceof Command;
      if (goesOn && stop && isBreakpoint(graph, stop) && interrupts.askAt(stop)) return;
    }
    // What a subgraph has said before it stopped comes out of it once more, at its end.
    const within = context.decisions.size > 0 ? await readSubgraphMessages(graph, threadKey, active) : [];
    const messages = [...thread.seen, ...within, ...collectMessages(prepared)];
    const history = new Set(messages.map(({ id }) => id));
    const tools = new ToolCallbacks(this.options.tracking, active, history, this.options.exposeTools);
    const spoken = new SpokenMessages(history, this.options.holdMessages);
    await this.recall(context, { mapper, spoken, thread });
    const { toolResultMaxBytes: resultMaxBytes = DEFAULT_RESULT_MAX_BYTES } = this.options;
    const conversation = { thread: messages, resultMaxBytes, spoken, settle };
    const callbacks = new GraphCallbacks(emitFact, active.isInsideTool, tools, conversation);
    const exposed = ExposedState.of(graph, this.options);
    const show = (change?: StateChange) => change && context.emit(change);
    await show(exposed?.hear([], 'values', thread.values));
    const unfinished = new Set<string>();
    const store = this.graph.storeFor(principal, graph);
    try {
      const stream = await graph.stream(prepared, {
        context: runContext,
        ...(store && { store }),
        metadata: configMetadata(input.metadata),
        configurable: {
          ...input.given?.configurable,
          ...authConfigurable(principal),
          run_id: runId,
          assistant_id: this.name,
          graph_id: this.name,
          // LangGraph's name for where a graph's memory is. Not the id that a client may have minted: see the decision on it.
          thread_id: threadKey,
          [CHECKPOINT_FENCE]: { runId, epoch } satisfies CheckpointFence,
          [ACTIVE_RUN]: active,
        },
        callbacks: [callbacks],
        // Tokens come through the callbacks: the `messages` mode loses some of them under load.
        streamMode: exposed ? ['tasks', 'custom', 'values'] : ['tasks', 'custom'],
        ...(exposed?.keys.names && { outputKeys: [...exposed.keys.names] }),
        subgraphs: true,
        durability: 'sync',
        recursionLimit: Math.min(
          graph.config?.recursionLimit ?? this.options.recursionLimit ?? DEFAULT_RECURSION_LIMIT,
          input.given?.recursionLimit ?? Infinity,
        ),
        signal,
      });
      for await (const [namespace, mode, payload] of stream as AsyncIterable<[string[], string, unknown]>) {
        if (exposed) await show(exposed.hear(namespace, mode, payload));
        if (mode === 'custom') await emitFact({ kind: 'written', value: payload });
        if (mode === 'tasks') {
          const task = payload as TaskPayload;
          if ('result' in task) unfinished.delete(task.id);
          // What an earlier owner has finished is announced, and has its result in the checkpoint.
          else if (!context.completedSteps.has(task.id)) unfinished.add(task.id);
          await this.followTask(namespace, task, { emitFact, finish, context, checkpoints, interrupts });
        }
      }
      // A graph that was compiled to stop says nothing of it.
      if ((hasBreakpoints(graph) || unfinished.size > 0) && !interrupts.hasAsked && !signal.aborted) {
        const stop = await readBreakpoint(graph, threadKey, active);
        if (stop) interrupts.askAt(stop);
      }
      say(spoken.release());
      await show(exposed?.rest());
    } catch (error) {
      const reason = context.signal.aborted ? error : explain(error, callbacks.modelFailure);
      failure.abort(error);
      throw reason;
    } finally {
      // However it ends, the next turn knows what the person said.
      await checkpoints.store();
    }
  }

  /** Reads the output of earlier owners of the run, to recognise text that comes again and text that is replaced. */
  private async recall(
    context: AgentContext,
    {
      mapper,
      spoken,
      thread,
    }: { readonly mapper: LangGraphMapper; readonly spoken: SpokenMessages; readonly thread: ThreadMessages },
  ): Promise<void> {
    const { attempt, messageId } = context;
    if (attempt === 1) return;
    const before = (await context.spokenBefore?.()) ?? [];
    for (const { started, texts } of before) {
      mapper.recall(started);
      for (const text of texts) spoken.recalled(started.stepId, text);
    }
    const { seen } = thread;
    const asked = seen.findIndex(({ id }) => id === humanMessageId(messageId));
    // Where the question is not, nothing says what is new: a functional graph has what it returned in the turn before.
    const earlier = asked < 0 ? seen : seen.slice(0, asked);
    spoken.recallEarlier(new Set(earlier.map(({ id }) => id)));
    spoken.learn(seen);
    spoken.recallHeld(asked < 0 ? [] : seen.slice(asked + 1), before.at(-1)?.started.stepId ?? '');
  }

  override async check({ message, metadata, given = {} }: AgentInput, principal: Principal): Promise<void> {
    checkConfigurable(given, { agent: this.name, allowed: this.options.configurable });
    this.checkClientTools(given, principal);
    const graph = await this.graph.get({ metadata, principal, given });
    const said = given.isWithoutMessage ? {} : { messages: [new HumanMessage(message)] };
    await checkInput(graph, { ...said, ...given.input }, given.input !== undefined);
    await makeContext(graph, given.context, toContext({ metadata }, principal));
  }

  private checkClientTools({ clientTools = [] }: GivenInput, principal: Principal): void {
    if (clientTools.length === 0) return;
    if (!this.options.takesClientTools) {
      throw new AppError(
        'REQUEST_INVALID',
        `clientTools: The agent '${this.name}' takes no tools of its client. Leave them out.`,
      );
    }
    this.options.tracking.checkClientTools(clientTools, principal);
  }

  private async followTask(
    namespace: readonly string[],
    task: TaskPayload,
    {
      emitFact,
      finish,
      context,
      checkpoints,
      interrupts: asked,
    }: {
      readonly emitFact: (fact: GraphFact) => void | Promise<void>;
      readonly finish: (stepId: string, result: unknown) => void | Promise<void>;
      readonly context: AgentContext;
      readonly checkpoints: RunCheckpoints;
      readonly interrupts: GraphInterrupts;
    },
  ): Promise<void> {
    if (!('result' in task)) {
      // Announced beside its unfinished siblings, but not run again: its result is in the checkpoint.
      if (context.completedSteps.has(task.id)) return;
      await emitFact({
        kind: 'step-started',
        namespace: [...namespace, `${task.name}:${task.id}`].join('|'),
      });
      return;
    }
    const { interrupts = [] } = task;
    // The step stays open: it is not over, and the run that has the answer does it again.
    if (interrupts.length > 0) return asked.ask(interrupts, task.id);
    // Where a graph keeps no checkpoints, this is the only sign that a step is over.
    if (!checkpoints.holds(task.id)) await finish(task.id, task.result);
  }
}

/** LangGraph's `tasks` stream: a task begins, and then has a result. */
interface TaskPayload {
  readonly id: string;
  readonly name: string;
  readonly result?: unknown;
  readonly interrupts?: readonly TaskInterrupt[];
}

/** Returns the context that every graph gets. It overrides given values, so that callers cannot claim to be somebody else. */
function toContext({ metadata }: Pick<AgentInput, 'metadata'>, { userId, tenant, roles }: Principal) {
  return { principal: { userId, tenant, roles: [...roles] }, metadata };
}

function explain(error: unknown, modelFailure: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'GraphRecursionError') {
    return new AppError('RUN_LIMIT', 'The agent took more steps than a run may have.', { cause: error });
  }
  return (modelFailure === undefined ? undefined : toModelError(modelFailure)) ?? error;
}
