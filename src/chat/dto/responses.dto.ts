import { z } from 'zod';
import type { OpenInput, ThreadMessage } from '../../runs/thread.service.js';
import { hasEnded, type Run, type Thread } from '../../runs/run.js';
import { publicErrorSchema, usageSchema } from './event.schemas.js';
import { openInputSchema, requestedInputSchema } from './input.schemas.js';

const time = z.int().meta({ description: 'Milliseconds since the epoch.' });

export const runSchema = z
  .object({
    id: z.string(),
    threadId: z.string(),
    agent: z.string(),
    status: z.enum(['pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting-input']),
    message: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    messageId: z.string(),
    cancelRequested: z.boolean(),
    lastSeq: z.int(),
    createdAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    error: publicErrorSchema.optional(),
    usage: usageSchema.optional(),
    resumeOf: z
      .string()
      .optional()
      .meta({ description: 'The run that waited for input, and that this one continues.' }),
    inputs: z.array(requestedInputSchema).optional().meta({ description: 'What the run has stopped for.' }),
  })
  .meta({ id: 'Run' });
export type RunDto = z.output<typeof runSchema>;

export const runStartedSchema = z
  .object({
    runId: z.string(),
    threadId: z.string(),
    eventsUrl: z.string().meta({ description: 'For EventSource.' }),
  })
  .meta({ id: 'RunStarted' });
export type RunStartedDto = z.output<typeof runStartedSchema>;

export const decidedSchema = z
  .object({
    run: runSchema,
    continuedBy: runStartedSchema
      .optional()
      .meta({ description: 'The run that goes on with the answers. Absent while answers are missing.' }),
  })
  .meta({ id: 'Decided' });
export type DecisionResultDto = z.output<typeof decidedSchema>;

export const ticketSchema = z
  .object({
    ticket: z.string(),
    expiresAt: time,
    eventsUrl: z.string().meta({ description: 'With the ticket in it.' }),
  })
  .meta({ id: 'StreamTicket' });
export type TicketDto = z.output<typeof ticketSchema>;

export const threadSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    createdAt: time,
    updatedAt: time,
    activeRunId: z.string().optional().meta({ description: 'The run that has not ended yet.' }),
  })
  .meta({ id: 'Thread' });
export type ThreadDto = z.output<typeof threadSchema>;

const nextCursor = z.string().optional().meta({ description: 'Absent on the last page.' });

export const threadPageSchema = z
  .object({ items: z.array(threadSchema), nextCursor })
  .meta({ id: 'ThreadPage' });
export type ThreadPageDto = z.output<typeof threadPageSchema>;

const messageFields = { id: z.string(), runId: z.string(), createdAt: time, text: z.string() };
const messageSchema = z
  .discriminatedUnion('role', [
    z.object({ role: z.literal('user'), ...messageFields }).meta({ id: 'UserMessage' }),
    z
      .object({
        role: z.literal('assistant'),
        ...messageFields,
        view: z
          .record(z.string(), z.unknown())
          .meta({ description: "The run's view: parts, tools, outcome." }),
        resumeOf: z
          .string()
          .optional()
          .meta({ description: 'It goes on where that run stopped to wait; both are one message.' }),
      })
      .meta({ id: 'AssistantMessage' }),
  ])
  .meta({ id: 'ThreadMessage' });

export const threadDetailSchema = z
  .object({
    thread: threadSchema,
    messages: z.array(messageSchema),
    inputs: z.array(openInputSchema).optional().meta({
      description: 'What the thread waits for, on its first page. Absent where it waits for nothing.',
    }),
    nextCursor,
  })
  .meta({
    id: 'ThreadDetail',
    description: 'Oldest first within the page; the first page is the newest part.',
  });
export interface ThreadDetailDto {
  readonly thread: ThreadDto;
  readonly messages: readonly ThreadMessage[];
  readonly inputs?: readonly OpenInput[];
  readonly nextCursor?: string;
}

export const agentsSchema = z
  .object({
    items: z.array(z.object({ name: z.string(), description: z.string() })),
    default: z.string().optional().meta({ description: 'The agent that answers when a request names none.' }),
  })
  .meta({ id: 'Agents' });
export type AgentsDto = z.output<typeof agentsSchema>;

export const pageQuerySchema = z
  .object({
    cursor: z.string().max(512).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  })
  .meta({ id: 'PageQuery' });
export type PageQueryDto = z.output<typeof pageQuerySchema>;

/** Returns the part of a run that its owner may see. */
export function toRunDto(run: Run): RunDto {
  const { id, threadId, agent, status, message, metadata, messageId, cancelRequested, lastSeq, createdAt } =
    run;
  return {
    id,
    threadId,
    agent,
    status,
    message,
    metadata: { ...metadata },
    messageId,
    cancelRequested: cancelRequested && !hasEnded(run),
    lastSeq,
    createdAt,
    ...(run.startedAt !== undefined && { startedAt: run.startedAt }),
    ...(run.endedAt !== undefined && { endedAt: run.endedAt }),
    ...(run.error && { error: run.error }),
    ...(run.usage && { usage: run.usage }),
    ...(run.resumeOf !== undefined && { resumeOf: run.resumeOf }),
    ...(run.inputs && { inputs: [...run.inputs] }),
  };
}

export function toThreadDto({ id, title, createdAt, updatedAt, activeRunId }: Thread): ThreadDto {
  return { id, title, createdAt, updatedAt, ...(activeRunId && { activeRunId }) };
}
