import { z } from 'zod';
import type { Agent, AgentDescription } from '../../agents/agent.js';
import { currentVersion, type Assistant, type AssistantVersion } from './assistant-versions.js';
import { toIso } from './langgraph-resources.js';

/** Agents and stored assistants in the form of LangGraph's API. */

const jsonObject = z.record(z.string(), z.unknown());

export const assistantSchema = z
  .object({
    assistant_id: z.string(),
    graph_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    config: jsonObject,
    context: jsonObject,
    metadata: jsonObject,
    version: z.int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'LangGraphAssistant' });
export type LangGraphAssistant = z.output<typeof assistantSchema>;

export const assistantGraphSchema = z
  .object({
    nodes: z.array(z.object({ id: z.string(), type: z.string(), data: z.object({ name: z.string() }) })),
    edges: z.array(z.object({ source: z.string(), target: z.string(), conditional: z.boolean() })),
  })
  .meta({ id: 'LangGraphAssistantGraph' });
export type LangGraphAssistantGraph = z.output<typeof assistantGraphSchema>;

const jsonSchema = z.record(z.string(), z.unknown()).nullable();

export const assistantSchemasSchema = z
  .object({
    graph_id: z.string(),
    input_schema: jsonSchema,
    output_schema: jsonSchema,
    state_schema: jsonSchema,
    config_schema: jsonSchema,
    context_schema: jsonSchema,
  })
  .meta({ id: 'LangGraphAssistantSchemas' });
export type LangGraphAssistantSchemas = z.output<typeof assistantSchemasSchema>;

/** The schemas of the graphs that are nodes of an agent, by the names of the nodes that lead there. */
export const assistantSubgraphsSchema = z
  .record(
    z.string(),
    z.object({ input: jsonSchema, output: jsonSchema, state: jsonSchema, config: jsonSchema }),
  )
  .meta({ id: 'LangGraphAssistantSubgraphs' });
export type LangGraphAssistantSubgraphs = z.output<typeof assistantSubgraphsSchema>;

/** Agents are made with the server. */
export function toAssistant({
  name,
  description,
  defaults: { configurable, context } = {},
}: Agent): LangGraphAssistant {
  const made = { created_at: toIso(0), updated_at: toIso(0), version: 1 };
  return {
    assistant_id: name,
    graph_id: name,
    name,
    description,
    ...made,
    config: configurable ? { configurable } : {},
    context: context ?? {},
    metadata: { created_by: 'system' },
  };
}

/** @param version default: the one that counts */
export function toStoredAssistant(
  assistant: Assistant,
  version: AssistantVersion = currentVersion(assistant),
): LangGraphAssistant {
  const { agent, name, description = null, config, context, metadata } = version;
  return {
    assistant_id: assistant.id,
    graph_id: agent,
    name,
    description,
    config: { ...config },
    context: { ...context },
    metadata: { ...metadata },
    version: version.version,
    created_at: toIso(assistant.createdAt),
    updated_at: toIso(assistant.updatedAt),
  };
}

export function toAssistantGraph({ nodes, edges }: AgentDescription): LangGraphAssistantGraph {
  return {
    nodes: nodes.map(({ id, type, name }) => ({ id, type, data: { name } })),
    edges: edges.map(({ source, target, isConditional }) => ({
      source,
      target,
      conditional: isConditional,
    })),
  };
}

export function toAssistantSchemas(
  graphId: string,
  { schemas }: AgentDescription,
): LangGraphAssistantSchemas {
  return {
    graph_id: graphId,
    input_schema: schemas.input ?? null,
    output_schema: schemas.output ?? null,
    state_schema: schemas.state ?? null,
    // A graph has one schema, which it reads as either.
    config_schema: schemas.context ?? null,
    context_schema: schemas.context ?? null,
  };
}

/**
 * @param namespace names of nodes: only the graph that they lead to
 * @param isRecursive true for graphs at any depth. Default: those that are nodes of the agent's own
 */
export function toAssistantSubgraphs(
  { subgraphs = {} }: AgentDescription,
  { namespace, isRecursive = false }: { readonly namespace?: string; readonly isRecursive?: boolean },
): LangGraphAssistantSubgraphs {
  const isMeant = (path: string) =>
    namespace === undefined ? isRecursive || !path.includes('|') : path === namespace;
  return Object.fromEntries(
    Object.entries(subgraphs)
      .filter(([path]) => isMeant(path))
      .map(([path, { input = null, output = null, state = null, context = null }]) => [
        path,
        { input, output, state, config: context },
      ]),
  );
}
