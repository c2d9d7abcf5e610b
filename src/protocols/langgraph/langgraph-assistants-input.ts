import { z } from 'zod';
import { givenSchemas, idSchema, metadataSchema } from '../../streams/start-run.schemas.js';
import type { AssistantChange } from './assistant-versions.js';
import { configSchema } from './langgraph-input.js';
import { page } from './run-stream-input.js';

const facts = {
  config: configSchema.nullish().meta({ description: 'Like that of a run.' }),
  context: givenSchemas.context.nullish(),
  metadata: metadataSchema.nullish(),
  name: z.string().max(200).nullish(),
  description: z.string().max(2_000).nullish(),
};

/** Body of `client.assistants.create`. */
export const createAssistantSchema = z
  .looseObject({
    ...facts,
    graph_id: z.string().max(64).meta({ description: "The agent's name." }),
    assistant_id: idSchema.nullish(),
    if_exists: z.enum(['raise', 'do_nothing']).nullish().meta({ description: 'Default: raise.' }),
  })
  .meta({ id: 'LangGraphCreateAssistant' });

/** Body of `client.assistants.update`. */
export const updateAssistantSchema = z
  .looseObject({ ...facts, graph_id: z.string().max(64).nullish() })
  .meta({ id: 'LangGraphAssistantUpdate' });

/** Body of `client.assistants.setLatest`. */
export const latestVersionSchema = z
  .looseObject({ version: z.int().positive() })
  .meta({ id: 'LangGraphLatestVersion' });

/** Body of `client.assistants.getVersions`. */
export const versionsSchema = z
  .looseObject({ ...page, metadata: z.record(z.string(), z.unknown()).nullish() })
  .meta({ id: 'LangGraphAssistantVersions' });

/** Query of `client.assistants.delete`. */
export const deleteAssistantSchema = z.looseObject({
  delete_threads: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Deletes the threads that name it in their metadata, as `assistant_id`, as well.' }),
});

/** Query of `client.assistants.getSubgraphs`. */
export const subgraphsSchema = z.object({
  recurse: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'With those inside of others, too. Default: false.' }),
});

const assistantFilter = z.looseObject({
  graph_id: z.string().nullish(),
  name: z.string().nullish().meta({ description: 'A part of the name, in any case.' }),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type AssistantFilter = z.output<typeof assistantFilter>;

/** Body of `client.assistants.count`. */
export const countAssistantsSchema = assistantFilter.meta({ id: 'LangGraphAssistantCount' });

/** Body of `client.assistants.search`. */
export const searchAssistantsSchema = assistantFilter
  .extend({
    ...page,
    sort_by: z
      .enum(['assistant_id', 'graph_id', 'name', 'created_at', 'updated_at'])
      .nullish()
      .meta({ description: 'Default: created_at.' }),
    sort_order: z.enum(['asc', 'desc']).nullish().meta({ description: 'Default: desc.' }),
  })
  .meta({ id: 'LangGraphAssistantSearch' });

/** Returns the facts that a request names, under our names. */
export function readFacts(body: z.output<typeof updateAssistantSchema>): AssistantChange {
  const { graph_id: agent, config, context, metadata, name, description } = body;
  return {
    ...(agent != null && { agent }),
    ...(name != null && { name }),
    ...(description != null && { description }),
    ...(config && { config }),
    ...(context && { context }),
    ...(metadata && { metadata }),
  };
}
