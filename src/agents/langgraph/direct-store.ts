import type { CompiledGraph } from './graph-source.js';
import { GraphStore } from './graph-store.js';

/** A graph's own resolution of its config, which LangGraph keeps for itself. */
interface Resolution {
  readonly store?: unknown;
  _defaults?: (this: Resolution, config: { readonly store?: unknown }) => unknown[];
  getSubgraphs?(namespace?: string, recurse?: boolean): Iterable<[string, CompiledGraph]>;
}

const DIRECT = new WeakSet<CompiledGraph>();

/**
 * Lets a graph and its subgraphs use a {@link GraphStore} as it is. LangGraph would put a queue before it, which looks for work every millisecond of a
 * run (measured: 6 % of a core, used or not), knows no `listNamespaces`, and drops the `index` of a `put`. It makes that queue of the store that
 * a graph's config resolves to; nodes and tools get the store of the config itself where there is no queue.
 *
 * A subgraph with a store of its own keeps that. A graph of a version that resolves its config in another way gets the queue.
 */
export function useStoreDirectly(graph: CompiledGraph): void {
  if (DIRECT.has(graph)) return;
  DIRECT.add(graph);
  const inside = graph as unknown as Resolution;
  const { _defaults: resolve } = inside;
  if (typeof resolve !== 'function') return;
  inside._defaults = function (config) {
    const isOurs = config.store instanceof GraphStore;
    const own = isOurs && this.store && !(this.store instanceof GraphStore) ? this.store : undefined;
    const resolved = resolve.call(this, own ? { ...config, store: own } : config);
    return isOurs ? resolved.map((part) => (part instanceof GraphStore ? undefined : part)) : resolved;
  };
  for (const [, subgraph] of inside.getSubgraphs?.() ?? []) useStoreDirectly(subgraph);
}
