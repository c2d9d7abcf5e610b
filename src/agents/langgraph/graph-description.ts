import {
  getConfigTypeSchema,
  getInputTypeSchema,
  getOutputTypeSchema,
  getStateTypeSchema,
} from '@langchain/langgraph/zod/schema';
import type { AgentDescription, AgentSchemas, DescriptionParts } from '../agent.js';
import { inputNames } from './graph-input.js';
import type { CompiledGraph } from './graph-source.js';
import type { TypedSchemas } from './typed-schemas.js';

/**
 * Describes a graph: its nodes and edges, the graphs that are nodes of it, and the schemas that they were written with.
 *
 * @param typed the schemas in the types of the graph's module, where that is known
 */
export async function describeGraph(
  graph: CompiledGraph,
  typed: TypedSchemas | undefined,
  { hasSchemas }: DescriptionParts = { hasSchemas: true },
): Promise<AgentDescription> {
  const { nodes, edges } = (await graph.getGraphAsync()).toJSON() as unknown as DrawnGraph;
  return {
    nodes: nodes.map(({ id, type, data }) => ({ id, type, name: data?.name ?? id })),
    edges: edges.map(({ source, target, conditional = false }) => ({
      source,
      target,
      isConditional: conditional,
    })),
    schemas: hasSchemas ? await readSchemas(graph, () => typed?.read('')) : {},
    ...(hasSchemas && { subgraphs: await readSubgraphs(graph, typed) }),
  };
}

async function readSubgraphs(
  graph: CompiledGraph,
  typed: TypedSchemas | undefined,
): Promise<Readonly<Record<string, AgentSchemas>>> {
  const subgraphs: Record<string, AgentSchemas> = {};
  for await (const [path, subgraph] of graph.getSubgraphsAsync(undefined, true))
    subgraphs[path] = await readSchemas(subgraph as CompiledGraph, () => typed?.read(path));
  return subgraphs;
}

/** LangGraph's drawing of a graph, as far as it is read here. A node's metadata is left out: it may name tools that are not exposed. */
interface DrawnGraph {
  readonly nodes: readonly {
    readonly id: string;
    readonly type: string;
    readonly data?: { readonly name?: string };
  }[];
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    readonly conditional?: boolean;
  }[];
}

/** Returns the schemas that a graph was written with. Where those are types of TypeScript, the graph itself has only names. */
async function readSchemas(
  graph: CompiledGraph,
  readTyped: () => Promise<AgentSchemas | undefined> | undefined,
): Promise<AgentSchemas> {
  const { _metaRegistry: registry } = graph as { readonly _metaRegistry?: SchemaRegistry };
  const written = compact({
    input: getInputTypeSchema(graph, registry),
    output: getOutputTypeSchema(graph, registry),
    state: getStateTypeSchema(graph, registry),
    context: getConfigTypeSchema(graph, registry),
  });
  const known = Object.keys(written).length > 0 ? written : ((await readTyped()) ?? {});
  return compact({ input: describeChannels(inputNames(graph)), ...known });
}

/** Has what was added to the zod schemas of a graph. It belongs to the graph's own copy of LangGraph, which need not be that of this package. */
type SchemaRegistry = Parameters<typeof getStateTypeSchema>[1];

/** Of a state that was not written with zod, only the names are known. */
function describeChannels(names: readonly string[] | undefined): AgentSchemas['input'] {
  return names && { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) };
}

function compact(schemas: { readonly [Name in keyof AgentSchemas]: unknown }): AgentSchemas {
  return Object.fromEntries(Object.entries(schemas).filter(([, schema]) => schema !== undefined));
}
