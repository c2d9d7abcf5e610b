import { BaseChannel, isDeltaChannel } from '@langchain/langgraph/channels';
import type { Principal } from '../../principal.js';
import type { AgentInput } from '../agent.js';
import { keepsHistory } from './checkpoint-history.js';
import { useStoreDirectly } from './direct-store.js';
import { GraphStore } from './graph-store.js';
import { checkExposedKeys } from './exposed-keys.js';
import { inputNames } from './graph-input.js';
import { toCompiledGraph, type CompiledGraph, type GraphFactory, type GraphSource } from './graph-source.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';
import { authConfigurable, configMetadata } from './run-config.js';
import { RunCheckpointer } from './run.checkpointer.js';

/** The parts of a run that a graph can be made from. */
interface GraphRun extends Pick<AgentInput, 'metadata' | 'given'> {
  readonly principal: Principal;
}

/** The graph of an agent: one for all runs, or one that a function makes for each. It always stores its checkpoints in ours. */
export class AgentGraph {
  private readonly source: CompiledGraph | GraphFactory;

  /** @throws TypeError if `graph` is no graph, or has no such state as `exposeState` names */
  constructor(
    private readonly options: Pick<
      LangGraphAgentOptions,
      'name' | 'graph' | 'checkpointer' | 'exposeState' | 'store'
    >,
  ) {
    const { graph } = options;
    this.source = typeof graph === 'function' ? graph : this.prepare(graph);
  }

  /** Returns the graph for a run. `threadId` is undefined while a request is only checked. */
  async get({ metadata, principal, given = {} }: GraphRun, threadId?: string): Promise<CompiledGraph> {
    if (typeof this.source !== 'function') return this.source;
    const configurable = {
      ...given.configurable,
      ...authConfigurable(principal),
      assistant_id: this.options.name,
      graph_id: this.options.name,
      ...(threadId !== undefined && { thread_id: threadId }),
    };
    const store = this.storeFor(principal);
    return this.prepare(
      await this.source({ configurable, metadata: configMetadata(metadata), ...(store && { store }) }),
    );
  }

  /** False if the input of the graph has no messages. Undefined if that is not known before a run. */
  get takesMessages(): boolean | undefined {
    return typeof this.source === 'function' ? undefined : inputNames(this.source)?.includes('messages');
  }

  /** Returns the store for a run of this graph; undefined if there is none to give, or the graph was compiled with one of its own. */
  storeFor(principal: Principal, graph?: CompiledGraph): GraphStore | undefined {
    const own: unknown = graph?.store;
    const { store } = this.options;
    return store && (!own || own instanceof GraphStore) ? new GraphStore(store, principal) : undefined;
  }

  /** True if no checkpoint of the thread may be left out. One that holds only changes is useless without those before it. */
  keepsHistory({ channels }: CompiledGraph): boolean {
    return (
      keepsHistory(this.options.checkpointer) ||
      Object.values(channels as Record<string, object>).some(isDelta)
    );
  }

  private prepare(source: GraphSource): CompiledGraph {
    const { name, checkpointer, store } = this.options;
    const graph = toCompiledGraph(source);
    if (!graph)
      throw new TypeError(
        `\`graph\` of the agent '${name}' must be a LangGraph graph, or a function that returns one.`,
      );
    if (WHOLE_STATE in graph.channels)
      throw new TypeError(
        `The state of the graph of the agent '${name}' has no keys, as that of a MessageGraph. Build the graph with \`StateGraph(MessagesAnnotation)\`.`,
      );
    checkExposedKeys(graph, this.options);
    graph.checkpointer = new RunCheckpointer(checkpointer);
    if (store) useStoreDirectly(graph);
    return graph;
  }
}

/** The one channel of a graph whose state is a single value. */
const WHOLE_STATE = '__root__';

function isDelta(channel: object): boolean {
  return channel instanceof BaseChannel && isDeltaChannel(channel);
}
