import { getInputTypeSchema, getOutputTypeSchema, getStateTypeSchema } from '@langchain/langgraph/zod/schema';
import { z } from 'zod';
import type { AgentDescription } from '../agent.js';
import { inputNames } from './graph-input.js';
import type { CompiledGraph } from './graph-source.js';

type Schemas = AgentDescription['schemas'];

/** Describes a graph: its nodes and edges, and the schemas that it was written with. */
export async function describeGraph(graph: CompiledGraph): Promise<AgentDescription> {
  const { nodes, edges } = (await graph.getGraphAsync()).toJSON() as unknown as DrawnGraph;
  return {
    nodes: nodes.map(({ id, type, data }) => ({ id, type, name: data?.name ?? id })),
    edges: edges.map(({ source, target, conditional = false }) => ({
      source,
      target,
      isConditional: conditional,
    })),
    schemas: describeSchemas(graph),
  };
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

function describeSchemas(graph: CompiledGraph): Schemas {
  const { builder } = graph as { readonly builder?: { readonly _configRuntimeSchema?: unknown } };
  const state = getStateTypeSchema(graph);
  return compact({
    input: getInputTypeSchema(graph) ?? describeChannels(inputNames(graph)),
    output: getOutputTypeSchema(graph),
    state,
    context: toJsonSchema(builder?._configRuntimeSchema),
  });
}

/** Of a state that was not written with zod, only the names are known. */
function describeChannels(names: readonly string[] | undefined): Schemas['input'] {
  return names && { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) };
}

function toJsonSchema(schema: unknown): Schemas['context'] {
  return schema instanceof z.ZodType ? z.toJSONSchema(schema, { unrepresentable: 'any' }) : undefined;
}

function compact(schemas: { readonly [Name in keyof Schemas]: unknown }): Schemas {
  return Object.fromEntries(Object.entries(schemas).filter(([, schema]) => schema !== undefined));
}
