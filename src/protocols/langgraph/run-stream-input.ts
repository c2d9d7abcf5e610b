import { z } from 'zod';
import { LONGEST_DELAY_MS } from '../../runs/run-delay.js';
import { idSchema, metadataSchema } from '../../streams/start-run.schemas.js';
import { isEmpty, placeSchema, runStartSchema } from './langgraph-input.js';
import { changeSchemas, superstepsSchema } from './state-update-input.js';
import { STREAM_MODES, type StreamMode } from './run-stream-chunks.js';
import { isSearchable, MOST_VALUES } from './value-search.js';

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
const refused = (reason: string) => z.unknown().refine(isEmpty, `Not supported here. ${reason}`).optional();
const unsupported = z.unknown().refine(isEmpty, 'Not supported here').optional();

/** Maximum lifetime of a thread, in minutes: ten years. */
const LONGEST_TTL = 10 * 366 * 24 * 60;

/** The lifetime of a thread, in milliseconds. */
const ttlSchema = z
  .union([z.number(), z.looseObject({ ttl: z.number().nullish(), strategy: z.string().nullish() })])
  .transform((given, context) => {
    const { ttl, strategy } = typeof given === 'number' ? { ttl: given } : given;
    if ((strategy ?? 'delete') !== 'delete') {
      const message = "The strategy is 'delete' here: a thread is deleted as a whole";
      context.addIssue({ code: 'custom', message, path: ['strategy'] });
    }
    if (ttl === null || ttl === undefined) return undefined;
    if (!(ttl > 0 && ttl <= LONGEST_TTL))
      context.addIssue({ code: 'custom', message: `Send minutes, above 0 and at most ${LONGEST_TTL}` });
    return Math.ceil(ttl * 60_000);
  })
  .meta({
    description:
      'Minutes without a change after which the thread is deleted: a number, or `{ ttl, strategy: "delete" }`.',
  });

/** Answers to what a run has asked, or a change of the state before the graph goes on. */
const commandSchema = z
  .looseObject({ resume: z.unknown().optional(), ...changeSchemas })
  .refine(
    ({ resume, update, goto }) => isAbsent(resume) !== (isAbsent(update) && isAbsent(goto)),
    'Send `resume`, or `update` and `goto`, in a run of its own',
  );

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/**
 * Body of `client.runs.stream` and `client.runs.create`. What is not listed makes no difference to the answer: every stream can be resumed, and every
 * step is stored before the next begins.
 */
export const runRequestSchema = runStartSchema
  .extend({
    command: commandSchema.nullish(),
    stream_mode: modesSchema.nullish(),
    stream_subgraphs: z.boolean().nullish().meta({
      description:
        'The output of subgraphs under their namespaces, and with that of agents that tools call. Default: false.',
    }),
    on_disconnect: z
      .enum(['continue', 'cancel'])
      .nullish()
      .meta({ description: 'What becomes of the run when the client leaves. Default: it continues.' }),
    on_completion: z
      .literal('keep', { error: "Not supported here: a run's thread is kept. Delete it when you want to" })
      .nullish(),
    if_not_exists: z
      .enum(['create', 'reject'])
      .nullish()
      .meta({ description: 'Rule for a thread that there is not. Default: reject.' }),
    after_seconds: z
      .number()
      .min(0)
      .max(LONGEST_DELAY_MS / 1_000)
      .nullish()
      .meta({
        description:
          'Seconds after which the run begins. Until then it is pending, and its thread busy. Default: 0.',
      }),
    checkpoint: placeSchema
      .nullish()
      .meta({ description: 'The state to continue from. Default: the last one of the thread.' }),
    checkpoint_id: z.string().nullish().meta({ description: 'The id of that state.' }),
    webhook: refused('No address is called at the end of a run. Join the run, or read its state'),
    feedback_keys: refused('Runs take no feedback'),
    stream_namespaces: unsupported,
  })
  .meta({ id: 'LangGraphRunRequest' });
export type RunRequest = z.output<typeof runRequestSchema>;

/** Maximum runs of one batch. Each costs a start. */
const MAX_BATCH = 20;

/** Body of `client.runs.createBatch`. */
export const batchSchema = z.array(runRequestSchema).min(1).max(MAX_BATCH).meta({ id: 'LangGraphRunBatch' });

const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');

/** Query of `client.runs.join`. */
export const joinRunQuerySchema = z.looseObject({ cancel_on_disconnect: flag.optional() });

/** Query of `client.runs.joinStream`. */
export const joinQuerySchema = joinRunQuerySchema.extend({
  stream_mode: modesSchema.optional(),
  stream_subgraphs: flag.optional(),
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

/** Config that `client.threads.getState` posts: it names the thread and perhaps one of its states. */
export const stateAtSchema = z
  .looseObject({ checkpoint: placeSchema.nullish() })
  .meta({ id: 'LangGraphStateRequest' });

/** Body of `client.threads.getHistory`. */
export const historySchema = z
  .looseObject({
    limit: z.int().min(1).default(10).transform(limited),
    before: placeSchema.nullish(),
    checkpoint: z
      .looseObject({ checkpoint_ns: z.string().max(2048).nullish() })
      .nullish()
      .meta({ description: 'With `checkpoint_ns`: the state of the agent in this namespace.' }),
    metadata: z
      .record(z.string(), z.unknown())
      .nullish()
      .meta({ description: 'Only states with these values in their metadata.' }),
  })
  .meta({ id: 'LangGraphHistoryRequest' });

/** Body of `client.threads.create`. */
export const createThreadSchema = z
  .looseObject({
    thread_id: idSchema.nullish(),
    metadata: metadataSchema.nullish(),
    if_exists: z.enum(['raise', 'do_nothing']).nullish().meta({ description: 'Default: raise.' }),
    supersteps: superstepsSchema.nullish().meta({ description: 'States of the new thread.' }),
    ttl: ttlSchema.nullish(),
  })
  .meta({ id: 'LangGraphCreateThread' });

/** Body of `client.threads.update`. */
export const updateThreadSchema = z
  .looseObject({ metadata: metadataSchema.nullish(), ttl: ttlSchema.nullish() })
  .meta({ id: 'LangGraphThreadUpdate' });

/** The part of a list to return. */
export const page = {
  limit: z.int().min(1).default(10).transform(limited),
  offset: z.int().min(0).default(0),
};

const threadFilter = z.looseObject({
  ids: z.array(idSchema).max(PAGE_LIMIT).nullish(),
  status: z.enum(['idle', 'busy', 'interrupted', 'error']).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  values: z
    .record(z.string(), z.unknown())
    .refine(
      isSearchable,
      `A search takes at most ${MOST_VALUES} values, with all that is in them. Name those that tell the threads apart`,
    )
    .nullish()
    .meta({
      description:
        'Only threads whose state has these values. Of the hundred that changed last and fit otherwise.',
    }),
});

/** Body of `client.threads.count`. */
export const countThreadsSchema = threadFilter.meta({ id: 'LangGraphThreadCount' });

/** Body of `client.threads.search`. */
export const searchThreadsSchema = threadFilter
  .extend({
    ...page,
    sort_by: z
      .enum(['thread_id', 'created_at', 'updated_at'])
      .nullish()
      .meta({ description: 'Default: updated_at.' }),
    sort_order: z.enum(['asc', 'desc']).nullish().meta({ description: 'Default: desc.' }),
    select: z
      .array(z.string())
      .nullish()
      .meta({ description: 'Without `values`, threads come without their state.' }),
    extract: unsupported,
  })
  .meta({ id: 'LangGraphThreadSearch' });

/** @param otherwise when nothing is asked for */
export function parseModes(
  names: readonly StreamMode[] | null | undefined,
  otherwise: readonly StreamMode[],
): ReadonlySet<StreamMode> {
  return new Set(names ?? otherwise);
}
