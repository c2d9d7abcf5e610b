import { z } from 'zod';
import { RATINGS } from '../../runs/feedback.js';
import type { FeedbackFilter } from '../../runs/feedback.service.js';
import type { ListedRun } from '../../runs/run.js';

const moment = z.coerce.number().int().min(0).optional();
const name = z.string().min(1).max(256);

export const feedbackQuerySchema = z
  .object({
    cursor: z.string().max(512).optional(),
    limit: z.coerce.number().int().min(1).max(1_000).default(1_000).meta({
      description: 'Answers with feedback that are looked at. Those that do not fit leave no line.',
    }),
    since: moment.meta({ description: 'Changed at this time or later, in milliseconds since the epoch.' }),
    before: moment.meta({ description: 'Changed earlier than this, in milliseconds since the epoch.' }),
    agent: z.string().min(1).max(64).optional(),
    rating: z.enum(RATINGS).optional(),
    tenant: name.optional(),
  })
  .meta({ id: 'FeedbackQuery' });
export type FeedbackQueryDto = z.output<typeof feedbackQuerySchema>;

export function readFeedbackQuery({ limit, ...query }: FeedbackQueryDto): FeedbackFilter {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  return { limit, ...given };
}

/** Returns feedback as a line of the export: with where it belongs, and without what was asked and answered. */
export function toFeedbackLine(run: ListedRun): string {
  const { id: runId, threadId, agent, principal, status, createdAt, feedback } = run;
  const { tenant, userId } = principal;
  return JSON.stringify({ runId, threadId, agent, tenant, userId, status, createdAt, ...feedback });
}
