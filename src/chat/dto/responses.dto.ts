import { z } from 'zod';
import type { OpenInput, ThreadMessage } from '../../runs/thread.service.js';
import type { ListedRun, Run, Thread } from '../../runs/run.js';
import type { Page } from '../../runs/run.store.js';
import type { ThreadMatch } from '../../runs/thread-search.js';
import {
  listedRunFields,
  nextCursorSchema as nextCursor,
  toListedFields,
} from '../../streams/run-list.schemas.js';
import { feedbackSchema } from '../../streams/feedback.schemas.js';
import { placedFileSchema } from '../../streams/file.schemas.js';
import { openInputSchema, requestedInputSchema } from './input.schemas.js';
import { runMessageSchema, toRunMessageDto } from './messages.dto.js';

const yes = z.literal(true).optional();
const time = z.int().meta({ description: 'Milliseconds since the epoch.' });

export const runSchema = z
  .object({
    ...listedRunFields,
    message: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    files: z
      .array(placedFileSchema)
      .optional()
      .meta({ description: 'The files of the message. Absent: none.' }),
    messageId: z.string(),
    inputs: z.array(requestedInputSchema).optional().meta({ description: 'What the run has stopped for.' }),
    messages: z
      .array(runMessageSchema)
      .optional()
      .meta({ description: 'Messages that the run has not taken, or has ended without. Absent: none.' }),
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
    metadata: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'Your own notes. Absent: none.' }),
    createdAt: time,
    updatedAt: time,
    activeRunId: z.string().optional().meta({ description: 'The run that has not ended yet.' }),
    pinned: yes,
    archived: yes,
    unread: yes.meta({ description: 'A run has ended in it since its owner last wrote or read.' }),
    waiting: yes.meta({ description: 'Its last run waits for an answer from outside.' }),
    ttlMs: z.int().optional().meta({
      description:
        'Time after its last change at which it is deleted. Absent: it has no lifetime of its own.',
    }),
    expiresAt: time.optional().meta({ description: 'The moment that follows, as long as nothing happens.' }),
  })
  .meta({ id: 'Thread' });
export type ThreadDto = z.output<typeof threadSchema>;

const matchSchema = z
  .object({
    in: z.enum(['title', 'question', 'answer']),
    runId: z.string().optional().meta({ description: 'The newest run that was found. Absent for a title.' }),
    text: z.string().meta({ description: 'The words around, as plain text.' }),
    marks: z
      .array(z.object({ start: z.int(), end: z.int() }))
      .meta({ description: 'Places of the found words in `text`, in UTF-16 code units.' }),
  })
  .meta({ id: 'ThreadMatch' });

const listedThreadSchema = threadSchema
  .extend({
    match: matchSchema
      .optional()
      .meta({ description: 'The place that a search has found. Absent without `search`.' }),
  })
  .meta({ id: 'ListedThread' });

export const listedRunSchema = z
  .object({ ...listedRunFields, title: z.string().meta({ description: "The thread's title." }) })
  .meta({ id: 'ListedRun' });
export type ListedRunDto = z.output<typeof listedRunSchema>;

export const runPageSchema = z
  .object({ items: z.array(listedRunSchema), nextCursor })
  .meta({ id: 'RunPage', description: 'A page may have fewer runs than its limit, and another after it.' });
export type RunPageDto = z.output<typeof runPageSchema>;

export const threadPageSchema = z
  .object({ items: z.array(listedThreadSchema), nextCursor })
  .meta({ id: 'ThreadPage' });
export type ThreadPageDto = z.output<typeof threadPageSchema>;

const messageFields = {
  id: z.string(),
  runId: z.string(),
  createdAt: time,
  text: z.string(),
  versions: z.array(z.string()).optional().meta({
    description: 'The runs that took this turn, with its own, the oldest first. Absent if there is only one.',
  }),
};
const messageSchema = z
  .discriminatedUnion('role', [
    z
      .object({
        role: z.literal('user'),
        ...messageFields,
        files: z.array(placedFileSchema).optional().meta({ description: 'Absent: none.' }),
      })
      .meta({ id: 'UserMessage' }),
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
        feedback: feedbackSchema.optional(),
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
    items: z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        accepts: z.array(z.string()).optional().meta({
          description:
            'Media types of files, and ranges of them, that a message to it may have. Absent: none.',
        }),
        isSteerable: yes.meta({ description: 'Its runs take messages while they are under way.' }),
        suggestions: z
          .array(z.string())
          .optional()
          .meta({ description: 'Questions to begin a conversation with. Absent: none.' }),
      }),
    ),
    default: z.string().optional().meta({ description: 'The agent that answers when a request names none.' }),
  })
  .meta({ id: 'Agents' });
export type AgentsDto = z.output<typeof agentsSchema>;

/** Returns the part of a run that its owner may see. */
export function toRunDto(run: Run): RunDto {
  const { message, metadata, given, messageId, inputs, messages = [] } = run;
  const waiting = messages.filter(({ taken }) => !taken);
  return {
    ...toListedFields(run),
    message,
    metadata: { ...metadata },
    ...(given?.files && { files: given.files.map((file) => ({ ...file })) }),
    messageId,
    ...(inputs && { inputs: [...inputs] }),
    ...(waiting.length > 0 && { messages: waiting.map((each) => toRunMessageDto(run, each)) }),
  };
}

/** Returns a run as lists show it. */
export function toListedRunDto(run: ListedRun): ListedRunDto {
  return { ...toListedFields(run), title: run.title };
}

export function toThreadDto(thread: Thread): ThreadDto {
  const { owner: _owner, ...facts } = thread;
  return facts;
}

export function toMatchPage({ items, nextCursor }: Page<ThreadMatch>): ThreadPageDto {
  return {
    items: items.map(({ thread, place: { marks, ...match } }) => ({
      ...toThreadDto(thread),
      match: { ...match, marks: [...marks] },
    })),
    ...(nextCursor && { nextCursor }),
  };
}
