import { z } from 'zod';
import type { GivenStateChange } from '../../agents/agent.js';
import { givenSchemas } from '../../streams/start-run.schemas.js';
import { placeSchema } from './langgraph-input.js';

type Update = GivenStateChange['updates'][number];

/** Maximum supersteps of a new thread, and updates of one. Each superstep is a run, and costs a start. */
const MAX_SUPERSTEPS = 50;

const node = z.string().max(256);
const values = givenSchemas.input.unwrap();

/** Body of `client.threads.updateState`. */
export const updateStateSchema = z
  .looseObject({
    values: values.nullish().meta({ description: 'Values by key of the state. Absent: none.' }),
    as_node: node
      .nullish()
      .meta({ description: 'The node that has returned them. Default: the one that ran last.' }),
    checkpoint: placeSchema
      .nullish()
      .meta({ description: 'The state to change. Default: the last one of the thread.' }),
    checkpoint_id: z.string().nullish().meta({ description: 'The id of that state.' }),
  })
  .meta({ id: 'LangGraphStateUpdate' });
export type StateUpdate = z.output<typeof updateStateSchema>;

/** The states of a thread before its first run, each the next one's parent. */
export const superstepsSchema = z
  .array(
    z.looseObject({
      updates: z
        .array(
          z.looseObject({
            values: values.nullish(),
            as_node: node.nullish(),
            command: z.null({ error: 'Not supported here: send values' }).optional(),
          }),
        )
        .min(1)
        .max(MAX_SUPERSTEPS),
    }),
  )
  .max(MAX_SUPERSTEPS);

/** The result of `client.threads.updateState`: the state that the change has made. */
export const updatedStateSchema = z
  .object({
    checkpoint: z.object({ thread_id: z.string(), checkpoint_ns: z.literal(''), checkpoint_id: z.string() }),
    configurable: z.object({
      thread_id: z.string(),
      checkpoint_ns: z.literal(''),
      checkpoint_id: z.string(),
    }),
  })
  .meta({ id: 'LangGraphUpdatedState' });
export type UpdatedState = z.output<typeof updatedStateSchema>;

const targetSchema = z.union([node, z.looseObject({ node, input: z.unknown() })]);

/** The part of LangGraph's `Command` that changes the state. */
export const changeSchemas = {
  update: values
    .nullish()
    .meta({ description: 'Values by key of the state, which change before the graph goes on.' }),
  goto: z
    .union([targetSchema.transform((one) => [one]), z.array(targetSchema).max(MAX_SUPERSTEPS)])
    .nullish()
    .meta({ description: 'The nodes that run next.' }),
};

export function toUpdate({
  values: given = null,
  as_node: asNode,
}: {
  readonly values?: Update['values'] | undefined;
  readonly as_node?: string | null | undefined;
}): Update {
  return { values: given, ...(asNode && { asNode }) };
}
