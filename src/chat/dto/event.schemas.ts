import { z } from 'zod';
import type { RunEvent } from '../../events/run-event.js';

/** The canonical events as JSON Schema sees them, for the API's description. `events/run-event.ts` is where they are defined. */

const usageFields = {
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  totalTokens: z.int().nonnegative(),
};
export const usageSchema = z.object(usageFields).meta({ id: 'Usage' });

export const publicErrorSchema = z
  .object({ code: z.string(), message: z.string(), retryable: z.boolean() })
  .meta({ id: 'PublicError', description: 'A stable code and a sentence that may be shown.' });

const id = z.string();
const at = z
  .int()
  .optional()
  .meta({ description: 'When it was recorded, in ms since the epoch; deltas go without.' });
const durationMs = z.int().nonnegative().meta({ description: 'Milliseconds.' });
const stepFields = { stepId: id, name: z.string(), attempt: z.int().positive(), parentStepId: id.optional() };
const partFields = { partId: id, messageId: id, stepId: id };
const deltaFields = { partId: id, delta: z.string() };

const event = <Type extends RunEvent['type'], Fields extends z.ZodRawShape>(type: Type, fields: Fields) =>
  z.object({ type: z.literal(type), ...fields, at }).meta({ id: schemaName(type) });

export const runEventSchema = z
  .discriminatedUnion('type', [
    event('run-start', { agent: z.string(), messageId: id, resumeOf: id.optional() }),
    event('run-resume', { reason: z.enum(['takeover', 'restart']) }),
    event('step-start', stepFields),
    event('step-end', stepFields),
    event('step-reset', {
      stepId: id,
      attempt: z.int().positive(),
      reason: z.enum(['takeover', 'restart', 'retry']),
    }),
    event('text-start', partFields),
    event('text-delta', deltaFields),
    event('text-end', { partId: id }),
    event('reasoning-start', partFields),
    event('reasoning-delta', deltaFields),
    event('reasoning-end', { partId: id }),
    event('tool-start', {
      toolCallId: id,
      toolName: z.string(),
      stepId: id,
      messageId: id,
      label: z.string(),
      input: z.unknown().optional(),
    }),
    event('tool-progress', {
      toolCallId: id,
      message: z.string().optional(),
      fraction: z.number().optional(),
      data: z.unknown().optional(),
    }),
    event('tool-end', {
      toolCallId: id,
      outcome: z.enum(['ok', 'error', 'invalid-input', 'unknown-tool', 'denied', 'timeout', 'cancelled']),
      output: z.unknown().optional(),
      error: publicErrorSchema.optional(),
      durationMs,
    }),
    event('approval-request', {
      approvalId: id,
      toolCallId: id,
      toolName: z.string(),
      stepId: id,
      label: z.string(),
      input: z.unknown(),
      expiresAt: z.int().optional(),
    }),
    event('approval-answer', {
      approvalId: id,
      decision: z.enum(['approve', 'edit', 'deny']),
      by: z.string(),
    }),
    event('usage', { ...usageFields, model: z.string() }),
    event('custom', { name: z.string(), data: z.unknown() }),
    event('end', {
      outcome: z.enum(['completed', 'failed', 'cancelled', 'awaiting-approval']),
      error: publicErrorSchema.optional(),
      usage: usageSchema,
      durationMs,
    }),
  ])
  .meta({
    id: 'RunEvent',
    description: 'One fact in a run, as `data` of a frame whose `event` is its `type`.',
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

/** One frame of a stream. */
export const runFrameSchema = z
  .object({
    id: z.string().meta({ description: '`<runId>.<epoch>.<seq>`: send it back as Last-Event-ID.' }),
    event: z.string().meta({ description: 'The `type` of `data`.' }),
    data: z
      .union([runEventSchema, readySchema, resetSchema])
      .meta({ description: 'As JSON text on the `data:` line.' }),
  })
  .meta({ id: 'RunFrame' });

function schemaName(type: string): string {
  return `${type
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Event`;
}

// The compiler holds the schemas and the events together: each must take what the other makes.
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Described = z.output<typeof runEventSchema>;
true satisfies [Described] extends [RunEvent & { at?: number }] ? true : never;
true satisfies [Mutable<RunEvent>] extends [Described] ? true : never;
