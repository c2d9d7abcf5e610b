import { z } from 'zod';
import { isEmpty, runStartSchema } from './langgraph-input.js';
import { STREAM_MODES, type StreamMode } from './run-stream-chunks.js';

/** One mode or several; a query has a list only when it has two. */
const modesSchema = z
  .union([z.string().transform((mode) => [mode]), z.array(z.string().max(64)).max(16)])
  .transform((names, context): StreamMode[] => {
    const unknown = names.filter((name) => !STREAM_MODES.some((mode) => mode === name));
    if (unknown.length === 0) return names as StreamMode[];
    const message = `'${unknown.join("', '")}' is not served here. The modes are ${STREAM_MODES.join(', ')}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** Fields that are rejected because ignoring them would start a different run from the one that was asked for, or give another answer. */
const unsupported = z.unknown().refine(isEmpty, 'Not supported here').optional();

/** Answers to what a run has asked. What else LangGraph does with a command would make another run of it. */
const commandSchema = z.looseObject({
  resume: z.unknown().refine((resume) => resume !== undefined && resume !== null, 'Send the decisions'),
  goto: unsupported,
  update: unsupported,
});

/**
 * Body of `client.runs.stream` and `client.runs.create`. What is not listed makes no difference to the answer: every stream can be resumed, and every
 * step is stored before the next begins.
 */
export const runRequestSchema = runStartSchema
  .extend({
    input: runStartSchema.shape.input.nullish(),
    command: commandSchema.nullish(),
    stream_mode: modesSchema.nullish(),
    on_disconnect: z
      .enum(['continue', 'cancel'])
      .nullish()
      .meta({ description: 'What becomes of the run when the client leaves. Default: it continues.' }),
    multitask_strategy: z
      .enum(['reject', 'enqueue'], { error: 'A run that goes on is neither interrupted nor rolled back' })
      .nullish()
      .meta({ description: 'With `enqueue`, the setting THREAD_BUSY decides.' }),
    on_completion: z
      .literal('keep', { error: "Not supported here: a run's thread is kept. Delete it when you want to" })
      .nullish(),
    after_seconds: unsupported,
    checkpoint: unsupported,
    checkpoint_id: unsupported,
    interrupt_after: unsupported,
    interrupt_before: unsupported,
    webhook: unsupported,
    feedback_keys: unsupported,
    stream_namespaces: unsupported,
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
    metadata: unsupported,
  })
  .meta({ id: 'LangGraphHistoryRequest' });

/** Body of `client.threads.create`. */
export const createThreadSchema = z
  .looseObject({
    thread_id: z.string().nullish(),
    metadata: z.record(z.string(), z.unknown()).nullish(),
    if_exists: z
      .literal('do_nothing', { error: 'A thread that exists is given as it is: do_nothing' })
      .nullish(),
    supersteps: unsupported,
    ttl: unsupported,
  })
  .meta({ id: 'LangGraphCreateThread' });

/** Body of `client.assistants.search`. */
export const searchAssistantsSchema = z
  .looseObject({
    graph_id: z.string().nullish(),
    name: z.string().nullish(),
    metadata: unsupported,
    limit: z.int().min(1).default(10).transform(limited),
    offset: z.int().min(0).default(0),
  })
  .meta({ id: 'LangGraphAssistantSearch' });

/** @param otherwise when nothing is asked for */
export function parseModes(
  names: readonly StreamMode[] | null | undefined,
  otherwise: readonly StreamMode[],
): ReadonlySet<StreamMode> {
  return new Set(names ?? otherwise);
}
