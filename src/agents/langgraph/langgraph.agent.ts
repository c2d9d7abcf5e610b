import { HumanMessage } from '@langchain/core/messages';
import { Command } from '@langchain/langgraph';
import type { StateChange } from '../../events/run-event.js';
import { AgentGraph } from './agent-graph.js';
import { DEFAULT_RECURSION_LIMIT, type LangGraphAgentOptions } from './langgraph-agent.options.js';
import type { ToolRun } from '../../tools/agent-tool.js';
import { toClientTools } from '../../tools/client-tool.js';
import type { Principal } from '../../principal.js';
import {
  Agent,
  type AgentContext,
  type AgentDescription,
  type AgentInput,
  type DescriptionParts,
} from '../agent.js';
import { withDefaults } from './agent-defaults.js';
import { describeGraph } from './graph-description.js';
import { checkClientTools } from './check-client-tools.js';
import { checkConfigurable, checkInput, listInputFiles, makeContext } from './graph-input.js';
import { configMetadata, runConfigurable, toContext } from './run-config.js';
import type { ActiveRun } from './active-run.js';
import { DEFAULT_RESULT_MAX_BYTES } from './arrivals.js';
import { ExposedState } from './exposed-state.js';
import { refuseFileBlocks } from './file-blocks.js';
import { followTask, type TaskPayload } from './follow-task.js';
import type { GraphFact, Namespace } from './graph-fact.js';
import {
  findBreakpoints,
  hasBreakpoints,
  isBreakpoint,
  GraphInterrupts,
  toStops,
} from './graph-interrupts.js';
import { GraphInbox, storeTold, type GraphStreamOptions } from './graph-inbox.js';
import { GraphCallbacks } from './graph.callbacks.js';
import { emitAll, supersedingEmit } from './graph-emit.js';
import { LangGraphMapper } from './langgraph.mapper.js';
import { createWordKeeper } from './keep-words.js';
import { KeptStates } from './kept-states.js';
import { NodeOutput } from './node-output.js';
import { listKeys, writeTo } from './node-writes.js';
import { explainFailure } from './model.errors.js';
import { PersonMessages } from './person-messages.js';
import { recallOutput } from './recall-output.js';
import { manageCallbacks } from './run-callback-manager.js';
import { RunCheckpoints } from './run-checkpoints.js';
import { mayLackRuns } from './thread-messages.js';
import { SpokenMessages } from './spoken-messages.js';
import { prepareInput, type Prepared } from './start-input.js';
import { changeState, checkStateChange } from './state-changes.js';
import {
  collectMessages,
  NO_MESSAGES,
  readBreakpoint,
  readSubgraphMessages,
  readThread,
} from './thread-state.js';
import { makeTitle } from './title-maker.js';
import { ToolCallbacks } from './tool.callbacks.js';
import { ToolSteps } from './tool-steps.js';
import { TypedSchemas } from './typed-schemas.js';

/** Drives a compiled LangGraph graph, and tells what it does in canonical events. */
export class LangGraphAgent extends Agent {
  readonly name: string;
  override readonly listFiles = listInputFiles;
  readonly description: string;
  override readonly roles: readonly string[] | undefined;
  override readonly accepts: readonly string[] | undefined;
  override readonly suggestions: readonly string[] | undefined;
  override readonly isWorkflow: boolean;
  override readonly leavesCheckpoints = true;
  override readonly makeTitle?: Agent['makeTitle'];
  override readonly takesStateChanges: boolean;
  override readonly isSteerable: boolean;
  override readonly keepsStates: boolean;
  override readonly takesMessages: boolean | undefined;
  override readonly defaults: LangGraphAgentOptions['defaults'];
  private readonly graph: AgentGraph;
  private readonly typed?: TypedSchemas;

  constructor(private readonly options: LangGraphAgentOptions) {
    super();
    ({ name: this.name, description: this.description } = options);
    ({ roles: this.roles, accepts: this.accepts, suggestions: this.suggestions } = options);
    const { titleModel, isWorkflow = true } = options;
    this.isWorkflow = isWorkflow;
    if (titleModel) this.makeTitle = (...asked) => makeTitle(titleModel, ...asked);
    ({ takesStateChanges: this.takesStateChanges = false, keepsStates: this.keepsStates = false } = options);
    ({ defaults: this.defaults, isSteerable: this.isSteerable = true } = options);
    this.graph = new AgentGraph(options);
    if (options.module !== undefined) this.typed = new TypedSchemas(options.module);
    this.takesMessages = this.graph.takesMessages;
    if (this.takesMessages === false) this.isSteerable = false;
  }

  async run(asked: AgentInput, context: AgentContext): Promise<void> {
    const input = withDefaults(asked, this.options);
    const { threadKey, principal, telemetry } = context;
    const failure = new AbortController();
    // What fails in one place of the graph ends the rest: nothing of it may go on behind the run's end.
    const signal = AbortSignal.any([context.signal, failure.signal]);
    const graph = await this.graph.get({ ...input, principal }, threadKey);
    const mapper = new LangGraphMapper(context);
    const exposed = ExposedState.of(graph, this.options);
    const states = input.given?.keepsStates ? new KeptStates(context) : undefined;
    const emit = supersedingEmit(context, (stepId) => spoken.forget(stepId));
    const emitFact = (fact: GraphFact): void | Promise<void> => {
      if (fact.kind === 'step-started' && spoken.holds) say(spoken.release(fact.namespace));
      // A step that is not done over, but put right.
      return emitAll(mapper.map(toolSteps.complete(fact)), fact.kind === 'taken-back' ? context.emit : emit);
    };
    const say = (released: ReturnType<SpokenMessages['release']>) => {
      for (const late of released) void emitAll(mapper.map({ kind: 'said-late', ...late }), context.emit);
    };
    const toolSteps = new ToolSteps(emit, (stepId) => mapper.findSubagent(stepId));
    const clientTools = toClientTools(input.given?.clientTools);
    const run: ToolRun = {
      ...context,
      clientTools,
      signal,
      emit: toolSteps.emit,
      // Before a tool begins: what led to it comes first.
      recorded: async () => void (await Promise.all([checkpoints.store(), context.recorded()])),
    };
    const finish = (stepId: string, result: unknown) => {
      if (exposed?.isInCheckpoints && mapper.isUnderWay(stepId) && mapper.isAtTop(stepId))
        exposed.note(stepId, listKeys(result));
      // A node whose result was cached has not run, and one that handed over to the graph around it has returned nothing.
      if (mapper.isUnderWay(stepId) && !nodes.isSettled(stepId))
        void nodes.settle(result, mapper.findNamespace(stepId));
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
      {
        isNewThread: context.isNewThread,
        keepsHistory: states !== undefined || this.graph.keepsHistory(graph),
        place: { ...context, fromCheckpoint: input.given?.fromCheckpoint },
      },
    );
    const inbox = new GraphInbox(context, graph);
    const active: ActiveRun = {
      run,
      checkpoints,
      stepStarted: (namespace) => void emitFact({ kind: 'step-started', namespace }),
      isInsideTool: (namespace) => toolSteps.enclose(namespace),
      messagesNumbered: (messages) => spoken.learn(messages),
      stateReached: (put) => {
        const { checkpoint, newVersions } = put;
        const isSaid = persons?.reached(checkpoint.channel_values['messages']);
        const change = exposed?.hearCheckpoint(checkpoint.channel_values, newVersions);
        if (change) void context.emit(change);
        const wasTold = inbox.stateReached(put, () => states?.reached(put));
        if (isSaid || change || states) context.commitNow();
        storeTold(wasTold, context, checkpoints);
      },
    };
    const configurable = runConfigurable(this.name, input.given ?? {}, active, context);
    const show = (state?: StateChange) => state && context.emit(state);
    const interrupts = new GraphInterrupts(context, () => this.options.tracking.inputExpiresAt());
    const read = () => readThread(graph, threadKey, active);
    let thread = context.isNewThread ? NO_MESSAGES : await read();
    await states?.begin(thread, { graph, configurable });
    let prepared: Prepared;
    const change = input.given?.stateChange;
    if (change) {
      const changing = { graph, configurable, active, context, exposed, read, states };
      const changed = await changeState(change, thread, changing);
      if (!change.continues) {
        const stop = await readBreakpoint(graph, threadKey, active);
        if (stop) interrupts.askAt(stop);
        return;
      }
      thread = changed.thread;
      prepared = changed.input;
    } else {
      const stopped =
        input.given?.fromCheckpoint === undefined && mayLackRuns(thread, context)
          ? await context.readStoppedBefore?.(thread.runId)
          : undefined;
      prepared = prepareInput(graph, thread, { ...input, stopped }, context);
    }
    const runContext = await makeContext(graph, input.given?.context, toContext(input, principal));
    const breakpoints = findBreakpoints(graph, input.given);
    if (context.attempt > 1 && hasBreakpoints(breakpoints)) {
      const stop = await readBreakpoint(graph, threadKey, active);
      const goesOn = prepared === null || prepared instanceof Command;
      if (goesOn && stop && isBreakpoint(breakpoints, stop) && interrupts.askAt(stop)) return;
    }
    // What a subgraph has said before it stopped comes out of it once more, at its end.
    const within = context.decisions.size > 0 ? await readSubgraphMessages(graph, threadKey, active) : [];
    const messages = [...thread.seen, ...within, ...collectMessages(prepared)];
    const added = [...context.decisions.values()].flatMap(({ answer }) => answer.added ?? []);
    const history = new Set([...messages, ...added].map(({ id }) => id));
    const tools = new ToolCallbacks(this.options.tracking, active, history, this.options.exposeTools);
    const known = new Set<unknown>(messages.map((each) => each.id ?? each));
    const spoken = new SpokenMessages(known, this.options.holdMessages);
    const keepWords = createWordKeeper(context.keepFile);
    const findAround = (place: Namespace) => toolSteps.findAround(place);
    const isShown = (place: Namespace) => tools.areShown(findAround(place), place);
    const persons = PersonMessages.of(this.options, context, known, thread);
    const nodes = new NodeOutput({ spoken, persons, mapper, keepWords, emitFact, isShown });
    await recallOutput(context, { mapper, spoken, thread, keepWords });
    const { toolResultMaxBytes: resultMaxBytes = DEFAULT_RESULT_MAX_BYTES } = this.options;
    const conversation = { thread: messages, resultMaxBytes, spoken, keepWords, nodes, telemetry };
    const callbacks = new GraphCallbacks(emitFact, findAround, tools, conversation);
    await show(exposed?.hear([], 'values', thread.values));
    const unfinished = new Set<string>();
    const store = this.graph.storeFor(principal, graph);
    try {
      const options: GraphStreamOptions = {
        context: runContext,
        ...(store && { store }),
        metadata: configMetadata(input.metadata),
        configurable,
        callbacks: manageCallbacks(graph, callbacks),
        // Tokens come through the callbacks: the `messages` mode loses some of them under load.
        ...toStops(breakpoints),
        streamMode: [
          'tasks',
          ...(exposed?.isInStream ? (['values'] as const) : []),
          ...(states ? (['checkpoints'] as const) : []),
        ],
        // LangGraph's own writer hands events to its stream, behind the tokens of that moment and without their node.
        ...writeTo((value, namespace) => void emitFact({ kind: 'written', value, namespace })),
        subgraphs: true,
        durability: 'sync',
        recursionLimit: Math.min(
          graph.config?.recursionLimit ?? this.options.recursionLimit ?? DEFAULT_RECURSION_LIMIT,
          input.given?.recursionLimit ?? Infinity,
        ),
        signal,
      };
      const endTurn = async () => {
        await nodes.rest();
        say(spoken.release());
      };
      const steered = { graph, options, read, history: known, endTurn };
      for await (const [namespace, mode, payload] of inbox.stream(prepared, steered)) {
        if (exposed?.isInStream) await show(exposed.hearStream(namespace, mode, payload));
        if (namespace.length === 0) states?.hear(mode, payload);
        if (mode === 'tasks') {
          const task = payload as TaskPayload;
          if ('result' in task) unfinished.delete(task.id);
          // What an earlier owner has finished is announced, and has its result in the checkpoint.
          else if (!context.completedSteps.has(task.id)) unfinished.add(task.id);
          await followTask(namespace, task, { emitFact, finish, context, checkpoints, interrupts });
        }
      }
      // LangGraph does not report a stop at a breakpoint.
      if ((hasBreakpoints(breakpoints) || unfinished.size > 0) && !interrupts.hasAsked && !signal.aborted) {
        const stop = await readBreakpoint(graph, threadKey, active);
        if (stop) interrupts.askAt(stop);
      }
      await endTurn();
      await show(exposed?.rest());
    } catch (error) {
      const { exposeErrors = false } = this.options;
      const reason = context.signal.aborted
        ? error
        : explainFailure(error, callbacks.modelFailure, exposeErrors);
      failure.abort(error);
      throw reason;
    } finally {
      // However it ends, the next turn knows what the person said.
      await checkpoints.store();
    }
  }

  override async check(asked: AgentInput, principal: Principal): Promise<void> {
    checkConfigurable(asked.given ?? {}, { agent: this.name, allowed: this.options.configurable });
    const { message, metadata, given = {} } = withDefaults(asked, this.options);
    refuseFileBlocks(given);
    checkClientTools(given, principal, this.options);
    const graph = await this.graph.get({ metadata, principal, given });
    if (given.stateChange) checkStateChange(graph, given.stateChange);
    else {
      const said = given.isWithoutMessage ? {} : { messages: [new HumanMessage(message)] };
      await checkInput(graph, { ...said, ...given.input }, given);
    }
    await makeContext(graph, given.context, toContext({ metadata }, principal));
  }

  override async describe(principal: Principal, wanted?: DescriptionParts): Promise<AgentDescription> {
    return describeGraph(await this.graph.get({ metadata: {}, principal }), this.typed, wanted);
  }
}
