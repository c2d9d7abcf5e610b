import { z } from 'zod';
import type { RunEvent, RunEventType } from '../../events/run-event.js';
import { fileFields, placedFileSchema } from '../../streams/file.schemas.js';
import { inputRequestSchema } from './input.schemas.js';
import { publicErrorSchema, usageFields, usageSchema } from '../../streams/usage.schemas.js';

/** The canonical events as JSON Schema sees them, for the API's description. `events/run-event.ts` is where they are defined. */

const finishReason = z.enum(['length', 'content-filter', 'refusal', 'empty']).meta({
  description: 'Why a model stopped before its own end. Absent when it did not.',
});
const id = z.string();
const at = z
  .int()
  .optional()
  .meta({ description: 'When it was recorded, in ms since the epoch; deltas go without.' });
const durationMs = z.int().nonnegative().meta({ description: 'Milliseconds.' });
const subagent = z
  .object({ name: z.string(), path: z.array(z.string()), toolCallId: id.optional() })
  .optional()
  .meta({ description: "The agent at work, where it is not the run's own." });
const stepFields = {
  stepId: id,
  name: z.string(),
  attempt: z.int().positive(),
  parentStepId: id.optional(),
  subagent,
};
const partFields = { partId: id, messageId: id, stepId: id, subagent };
const deltaFields = { partId: id, delta: z.string() };

const event = <Type extends RunEventType, Fields extends z.ZodRawShape>(type: Type, fields: Fields) =>
  z.object({ type: z.literal(type), ...fields, at }).meta({ id: schemaName(type) });

/** The events as the compiler has them, by their types. */
type EventByType<Type extends RunEventType> = Mutable<Extract<RunEvent, { type: Type }>> & { at?: number };
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;

/** A schema for each type of event. One that is missing, or that allows what the event does not, is named by the compiler. */
const EVENT_SCHEMAS = {
  'run-start': event('run-start', {
    agent: z.string(),
    messageId: id,
    resumeOf: id.optional(),
    files: z.array(placedFileSchema).optional().meta({ description: "The files of the person's message." }),
    queuedMs: durationMs.optional(),
  }),
  'run-resume': event('run-resume', { reason: z.enum(['takeover', 'restart']) }),
  'step-start': event('step-start', stepFields),
  'step-end': event('step-end', stepFields),
  'step-reset': event('step-reset', {
    stepId: id,
    attempt: z.int().positive(),
    reason: z.enum(['takeover', 'restart', 'retry', 'replaced']),
  }),
  'text-start': event('text-start', partFields),
  'text-delta': event('text-delta', deltaFields),
  'text-end': event('text-end', { partId: id }),
  'reasoning-start': event('reasoning-start', partFields),
  'reasoning-delta': event('reasoning-delta', deltaFields),
  'reasoning-end': event('reasoning-end', { partId: id }),
  file: event('file', {
    ...partFields,
    toolCallId: id.optional(),
    ...fileFields,
  }),
  source: event('source', {
    ...partFields,
    url: z.string().optional(),
    title: z.string().optional(),
    quote: z.string().optional(),
  }),
  'tool-start': event('tool-start', {
    toolCallId: id,
    toolName: z.string(),
    stepId: id,
    messageId: id,
    label: z.string(),
    input: z.unknown().optional(),
    subagent,
  }),
  'tool-progress': event('tool-progress', {
    toolCallId: id,
    message: z.string().optional(),
    fraction: z.number().optional(),
    data: z.unknown().optional(),
  }),
  'tool-end': event('tool-end', {
    toolCallId: id,
    outcome: z.enum([
      'ok',
      'error',
      'invalid-input',
      'unknown-tool',
      'denied',
      'timeout',
      'cancelled',
      'awaiting-input',
    ]),
    output: z.unknown().optional(),
    error: publicErrorSchema.optional(),
    durationMs,
    foreign: z.literal(true).optional(),
  }),
  'input-request': inputRequestSchema,
  'input-answer': event('input-answer', {
    inputId: id,
    kind: z.enum(['approval', 'interrupt', 'client-tool', 'elicitation']),
    decision: z.enum(['approve', 'edit', 'deny', 'answer']),
    by: z.string(),
    input: z.unknown().optional(),
    added: z
      .array(
        z.object({
          id: z.string(),
          role: z.enum(['assistant', 'user']),
          text: z.string(),
          original: z.record(z.string(), z.unknown()),
        }),
      )
      .optional(),
  }),
  usage: event('usage', {
    ...usageFields,
    model: z.string(),
    stepId: id.optional(),
    durationMs: durationMs.optional(),
    firstTokenMs: durationMs.optional(),
    failed: z.literal(true).optional(),
    finishReason: finishReason.optional(),
  }),
  state: event('state', {
    patch: z.array(
      z.union([
        z.object({ op: z.enum(['add', 'replace']), path: z.string(), value: z.unknown() }),
        z.object({ op: z.literal('remove'), path: z.string() }),
      ]),
    ),
    writers: z.record(z.string(), z.array(id)).optional(),
    omitted: z.array(z.string()).optional(),
  }),
  checkpoint: event('checkpoint', {
    checkpointId: z.string(),
    runId: id.optional(),
    parentId: z.string().optional(),
    parentRunId: id.optional(),
    step: z.int(),
    source: z.string(),
    next: z
      .array(
        z.object({
          stepId: id,
          name: z.string(),
          path: z.array(z.union([z.string(), z.number()])).optional(),
          isGraph: z.literal(true).optional(),
        }),
      )
      .optional(),
  }),
  task: event('task', { stepId: id, name: z.string(), triggers: z.array(z.string()) }),
  'message-put': event('message-put', {
    messageId: id,
    text: z.string().optional(),
    role: z.literal('user').optional(),
    stepId: id.optional(),
  }),
  custom: event('custom', { name: z.string(), data: z.unknown(), stepId: id.optional() }),
  end: event('end', {
    outcome: z.enum(['completed', 'failed', 'cancelled', 'awaiting-input']),
    error: publicErrorSchema.optional(),
    finishReason: finishReason.optional(),
    usage: usageSchema,
    durationMs,
  }),
} satisfies { readonly [Type in RunEventType]: z.ZodType<EventByType<Type>> };

/** The types whose schemas do not allow all that their events may have: none. */
type TooStrict = {
  [Type in RunEventType]: EventByType<Type> extends z.output<(typeof EVENT_SCHEMAS)[Type]> ? never : Type;
}[RunEventType];
null as unknown as TooStrict satisfies never;

const schemas = Object.values(EVENT_SCHEMAS);

export const runEventSchema = z
  .discriminatedUnion('type', schemas as [(typeof schemas)[number], ...typeof schemas])
  .meta({
    id: 'RunEvent',
    description: 'One fact in a run.',
  });

/** The two frames that are not in the log. */
export const readySchema = z
  .object({
    type: z.literal('ready'),
    runId: id,
    threadId: id,
    from: z.int().positive().meta({ description: 'The seq of the first event that follows.' }),
    tail: z.int().nonnegative().meta({ description: 'The last seq at this moment.' }),
    status: z.string(),
    at: z.int().meta({ description: "This moment, by the server's clock, in milliseconds since the epoch." }),
  })
  .meta({ id: 'Ready', description: 'Opens every stream.' });

export const resetSchema = z
  .object({
    type: z.literal('reset'),
    reason: z.enum(['expired', 'unknown', 'other-history']),
    from: z.int().positive(),
  })
  .meta({
    id: 'Reset',
    description:
      'The cursor cannot be honoured: drop what you have, the stream starts again from the first kept event.',
  });

/** The `data` of one frame of a stream: generated clients yield that, and know `id` and `event` by themselves. */
export const frameDataSchema = z.union([runEventSchema, readySchema, resetSchema]).meta({
  id: 'FrameData',
  description:
    'JSON on the `data:` line of a frame. Its `event:` line has the `type`; its `id:` line is `<runId>.<epoch>.<seq>`, to send back as Last-Event-ID.',
});

function schemaName(type: string): string {
  return `${type
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Event`;
}
