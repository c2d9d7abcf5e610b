import { z } from 'zod';
import { runStartSchema } from './langgraph-input.js';
import { STREAM_MODES, type StreamMode } from './run-stream-chunks.js';

/** One mode or several; a query has a list only when it has two. */
const modesSchema = z.union([z.string().transform((mode) => [mode]), z.array(z.string().max(64)).max(16)]);

/** Fields that are rejected because ignoring them would start a different run from the one that was asked for. */
const unsupported = z.null({ error: 'Not supported here' }).optional();

/** Answers to what a run has asked. What else LangGraph does with a command would make another run of it. */
const commandSchema = z.looseObject({
  resume: z.unknown().refine((resume) => resume !== undefined && resume !== null, 'Send the decisions'),
  goto: unsupported,
  update: unsupported,
});

/** Body of `client.runs.stream` and `client.runs.create`. What is not listed makes no difference to the answer. */
export const runRequestSchema = runStartSchema
  .extend({
    input: runStartSchema.shape.input.nullish(),
    command: commandSchema.nullish(),
    stream_mode: modesSchema.nullish(),
    on_disconnect: z
      .enum(['continue', 'cancel'])
      .nullish()
      .meta({ description: 'What becomes of the run when the client leaves. Default: it continues.' }),
    after_seconds: unsupported,
    checkpoint: unsupported,
    checkpoint_id: unsupported,
    interrupt_after: unsupported,
    interrupt_before: unsupported,
    webhook: unsupported,
  })
  .meta({ id: 'LangGraphRunRequest' });
export type RunRequest = z.output<typeof runRequestSchema>;

const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');

/** Query of `client.runs.joinStream`. */
export const joinQuerySchema = z.looseObject({
  stream_mode: modesSchema.optional(),
  cancel_on_disconnect: flag.optional(),
});

export const cancelQuerySchema = z.looseObject({
  wait: flag.optional(),
  action: z.literal('interrupt', { error: 'A run can be interrupted; it cannot be rolled back' }).optional(),
});

/** A page of more things than this is shortened to it. */
const PAGE_LIMIT = 100;
const limited = (limit: number) => Math.min(limit, PAGE_LIMIT);

export const listQuerySchema = z.looseObject({
  limit: z.coerce.number().int().min(1).default(10).transform(limited),
  offset: z.coerce.number().int().min(0).default(0),
  status: z.string().optional(),
});

/** A state's place among the others. Configs have it one level deeper. */
const placeSchema = z.looseObject({
  checkpoint_id: z.string().nullish(),
  checkpoint_ns: z.string().nullish(),
  configurable: z.looseObject({ checkpoint_id: z.string().nullish() }).optional(),
});

/** Config that `client.threads.getState` posts: it names the thread and perhaps one of its states. */
export const stateAtSchema = z
  .looseObject({ checkpoint: placeSchema.nullish() })
  .meta({ id: 'LangGraphStateRequest' });

/** Body of `client.threads.getHistory`. */
export const historySchema = z
  .looseObject({
    limit: z.int().min(1).default(10).transform(limited),
    before: placeSchema.nullish(),
    checkpoint: placeSchema.nullish(),
  })
  .meta({ id: 'LangGraphHistoryRequest' });

/** Body of `client.threads.create`. */
export const createThreadSchema = z
  .looseObject({
    thread_id: z.string().nullish(),
    metadata: z.record(z.string(), z.unknown()).nullish(),
  })
  .meta({ id: 'LangGraphCreateThread' });

/** Body of `client.assistants.search`. */
export const searchAssistantsSchema = z
  .looseObject({
    graph_id: z.string().nullish(),
    name: z.string().nullish(),
    limit: z.int().min(1).default(10).transform(limited),
    offset: z.int().min(0).default(0),
  })
  .meta({ id: 'LangGraphAssistantSearch' });

/** Of what is asked for, what there is. @param otherwise when nothing is asked for */
export function parseModes(
  names: readonly string[] | null | undefined,
  otherwise: readonly StreamMode[],
): ReadonlySet<StreamMode> {
  return new Set(names ? STREAM_MODES.filter((mode) => names.includes(mode)) : otherwise);
}
