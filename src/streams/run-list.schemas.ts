import { z } from 'zod';
import { hasEnded, type ListedRun } from '../runs/run.js';
import type { RunFilter } from '../runs/run-filter.js';
import type { PageRequest } from '../runs/run.store.js';
import { feedbackSchema } from './feedback.schemas.js';
import { publicErrorSchema, usageSchema } from './usage.schemas.js';

const time = z.int().meta({ description: 'Milliseconds since the epoch.' });

export const runStatusSchema = z.enum([
  'pending',
  'running',
  'completed',
  'failed',
  'cancelled',
  'awaiting-input',
]);

export const pageQuerySchema = z
  .object({
    cursor: z.string().max(512).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  })
  .meta({ id: 'PageQuery' });
export type PageQueryDto = z.output<typeof pageQuerySchema>;

/** Query for a page of one branch of a thread. */
export const branchQuerySchema = pageQuerySchema
  .extend({
    runId: z.string().max(64).optional().meta({
      description: 'A run: the newest branch that contains it is shown. Absent: the newest run.',
    }),
  })
  .meta({ id: 'BranchQuery' });
export type BranchQueryDto = z.output<typeof branchQuerySchema>;

export const nextCursorSchema = z.string().optional().meta({ description: 'Absent on the last page.' });

/** The fields of a run in a list: none has a word of what was said. */
export const listedRunFields = {
  id: z.string(),
  threadId: z.string(),
  agent: z.string(),
  status: runStatusSchema,
  cancelRequested: z.boolean(),
  lastSeq: z.int(),
  createdAt: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
  error: publicErrorSchema.optional(),
  usage: usageSchema.optional(),
  feedback: feedbackSchema.optional(),
  resumeOf: z
    .string()
    .optional()
    .meta({ description: 'The run that waited for input, and that this one continues.' }),
  continuedBy: z
    .string()
    .optional()
    .meta({ description: 'The run that continues this one with the answers to its inputs.' }),
  parentRunId: z.string().nullable().optional().meta({
    description:
      'The run before this one in its branch. Null: none, it starts the thread over. Absent: the run before it in time, if there is one.',
  }),
};
const facts = z.object(listedRunFields);

const moment = z.coerce.number().int().min(0).optional();
export const runQuerySchema = pageQuerySchema
  .extend({
    status: z
      .union([runStatusSchema, z.array(runStatusSchema).max(6)])
      .optional()
      .meta({ description: 'May be given several times.' }),
    agent: z.string().min(1).max(64).optional(),
    since: moment.meta({ description: 'Created at this time or later, in milliseconds since the epoch.' }),
    before: moment.meta({ description: 'Created earlier than this, in milliseconds since the epoch.' }),
    first: z.enum(['newest', 'oldest', 'dearest', 'longest']).default('newest').meta({
      description:
        'Order of the runs. `dearest` lists only runs whose cost is known. `longest` lists only runs that have ended, by the time from creation to end.',
    }),
  })
  .meta({ id: 'RunQuery' });
export type RunQueryDto = z.output<typeof runQuerySchema>;

/** Splits a query into the runs that are asked for, and the page of them. */
export function readRunQuery({ cursor, limit, status: statuses, ...filter }: RunQueryDto): {
  readonly filter: RunFilter;
  readonly page: PageRequest;
} {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return {
    filter: { ...given, ...(statuses !== undefined && { status: [statuses].flat() }) },
    page: { limit, ...(cursor !== undefined && { cursor }) },
  };
}

/** Returns the fields of a run that a list shows. */
export function toListedFields(run: Omit<ListedRun, 'title'>): z.output<typeof facts> {
  const { id, threadId, agent, status, cancelRequested, lastSeq, createdAt } = run;
  return {
    id,
    threadId,
    agent,
    status,
    cancelRequested: cancelRequested && !hasEnded(run),
    lastSeq,
    createdAt,
    ...(run.startedAt !== undefined && { startedAt: run.startedAt }),
    ...(run.endedAt !== undefined && { endedAt: run.endedAt }),
    ...(run.error && { error: run.error }),
    ...(run.usage && { usage: run.usage }),
    ...(run.feedback && { feedback: run.feedback }),
    ...(run.resumeOf !== undefined && { resumeOf: run.resumeOf }),
    ...(run.continuedBy !== undefined && { continuedBy: run.continuedBy }),
    ...(run.parentId !== undefined && { parentRunId: run.parentId }),
  };
}
