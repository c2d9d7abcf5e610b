import type { CompiledStateGraph, LangGraphRunnableConfig } from '@langchain/langgraph';

/** Any compiled graph, whatever its state and nodes. */
// eslint-disable-next-line typescript/no-explicit-any -- the type parameters are invariant; no narrower type takes every graph
export type CompiledGraph = CompiledStateGraph<any, any, any>;

/** The shape of a compiled graph, of this copy of LangGraph or of another. */
interface GraphShape {
  stream(...args: never[]): unknown;
  getState(...args: never[]): unknown;
  readonly channels: unknown;
}

/** A graph in any form: compiled, what `createAgent` or `createDeepAgent` returns, or a graph that still has to be compiled. */
export type GraphSource =
  CompiledGraph | GraphShape | { readonly graph: GraphShape } | { compile(...args: never[]): GraphShape };

/** Makes a graph for one run, from the `configurable`, the `metadata` and the `store` of that run. */
export type GraphFactory = (config: LangGraphRunnableConfig) => GraphSource | Promise<GraphSource>;

/**
 * Returns the compiled graph in `value`, compiled here if it was not; undefined when there is none. Asked by shape, not by class: the module
 * may bring its own copy of LangGraph.
 *
 * @throws what the graph says to being compiled, such as an edge to a node that is not there
 */
export function toCompiledGraph(value: unknown): CompiledGraph | undefined {
  const inner = (value as { readonly graph?: unknown } | null | undefined)?.graph;
  const compiled = [value, inner].find(isCompiled);
  if (compiled || !hasMethod(value, 'compile')) return compiled;
  const made = value.compile();
  return isCompiled(made) ? made : undefined;
}

function isCompiled(value: unknown): value is CompiledGraph {
  return (
    hasMethod(value, 'stream') &&
    hasMethod(value, 'getState') &&
    'checkpointer' in value &&
    'channels' in value
  );
}

function hasMethod<Name extends string>(value: unknown, name: Name): value is Record<Name, () => unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  );
}
