import { z } from 'zod';
import type { InboxItem } from '../../runs/thread.service.js';
import type { ThreadListRequest } from '../../runs/run.store.js';
import { nextCursorSchema, pageQuerySchema } from '../../streams/run-list.schemas.js';
import { metadataSchema } from '../../streams/start-run.schemas.js';
import { openInputSchema } from './input.schemas.js';

/** Ten years. */
const LONGEST_TTL_MS = 10 * 366 * 86_400_000;

const flag = z.enum(['true', 'false']);

export const threadQuerySchema = pageQuerySchema
  .extend({
    archived: flag.default('false').meta({ description: 'Archived threads instead of the others.' }),
    pinned: flag.optional(),
    waiting: z
      .literal('true')
      .optional()
      .meta({ description: 'Only those whose last run waits for an answer from outside.' }),
    search: z
      .string()
      .max(200)
      .optional()
      .meta({
        description:
          'Only those in which all of these words are found: in a question, in its answer once the run has ended, or in a title that was given. ' +
          'The last word may be the beginning of one. Up to 10 words count. Accents and capitals make no difference.',
      }),
  })
  .meta({ id: 'ThreadQuery' });
export type ThreadQueryDto = z.output<typeof threadQuerySchema>;

export const threadChangeSchema = z
  .strictObject({
    title: z.string().trim().min(1).max(1_000).optional().meta({
      description: 'New title. Shortened to its first line, and to 80 characters.',
    }),
    pinned: z.boolean().optional(),
    archived: z.boolean().optional().meta({ description: 'The next message brings the thread back.' }),
    metadata: metadataSchema.optional().meta({
      description: 'Your own notes. They take the place of values of the same names; the others stay.',
    }),
    ttlMs: z.int().min(60_000).max(LONGEST_TTL_MS).nullable().optional().meta({
      description:
        'Time without a change after which the thread is deleted, in milliseconds. It counts from now, and again from each change. Null: no such time.',
    }),
    read: z.literal(true).optional().meta({ description: 'Marks all of its current content as read.' }),
  })
  .meta({ id: 'ThreadChange' });
export type ThreadChangeDto = z.output<typeof threadChangeSchema>;

export const inboxSchema = z
  .object({
    items: z.array(
      z.intersection(openInputSchema, z.object({ thread: z.object({ id: z.string(), title: z.string() }) })),
    ),
    nextCursor: nextCursorSchema,
  })
  .meta({ id: 'Inbox', description: '`limit` counts threads. A thread may wait for several inputs.' });
export interface InboxDto {
  readonly items: readonly InboxItem[];
  readonly nextCursor?: string;
}

/** Reads a query for threads. */
export function readThreadQuery({
  limit,
  cursor,
  archived,
  pinned,
  waiting,
}: ThreadQueryDto): ThreadListRequest {
  return {
    limit,
    archived: archived === 'true',
    ...(cursor !== undefined && { cursor }),
    ...(pinned !== undefined && { pinned: pinned === 'true' }),
    ...(waiting !== undefined && { waiting: true }),
  };
}
