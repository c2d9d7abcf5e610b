import { z } from 'zod';
import { answerSchema } from '../../chat/dto/answer.dto.js';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { AppError } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Run } from '../../runs/run.js';
import type { Answers } from '../thread.approvals.js';

/** A JSON-RPC 2.0 call. */
export const callSchema = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string(), z.number(), z.null()]),
    method: z.string().meta({ example: 'SendStreamingMessage' }),
    params: z.looseObject({}).optional(),
  })
  .meta({ id: 'A2aCall' });
export type Call = z.output<typeof callSchema>;

/** Empty is absent: the SDK writes every field. */
export const optionalId = z.union([z.literal('').transform(() => undefined), idSchema]).optional();

const partSchema = z
  .looseObject({ text: z.string().optional(), data: z.looseObject({}).optional() })
  .refine(({ text, data }) => text !== undefined || data !== undefined, 'Only text and data are understood');

export const sendSchema = z.looseObject({
  message: z.looseObject({
    messageId: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Use 1 to 128 printable ASCII characters'),
    contextId: optionalId,
    taskId: optionalId,
    parts: z.array(partSchema).min(1),
  }),
  configuration: z
    .looseObject({
      returnImmediately: z.boolean().optional(),
      blocking: z
        .boolean()
        .optional()
        .meta({ description: 'In version 0.3, in place of `returnImmediately`.' }),
    })
    .nullish(),
});
export type Send = z.output<typeof sendSchema>;

export const taskIdSchema = z.looseObject({ id: z.string() });

/** True when the sender wants the task as it is, and not its end. */
export function isInAHurry({ configuration }: Send): boolean {
  return configuration?.returnImmediately ?? configuration?.blocking === false;
}

/** What a new message says: in words, because only a task that waits for them takes data. @throws AppError REQUEST_INVALID */
export function wordsOf({ message: { parts } }: Send): string {
  if (parts.some(({ text }) => text === undefined))
    throw new AppError('REQUEST_INVALID', 'parts: Only text is understood, but for answers with a taskId.');
  return parts.map(({ text = '' }) => text).join('\n');
}

/** What a message decides: a data part for each answer. @throws AppError REQUEST_INVALID */
export function answersOf({ message: { parts } }: Send): Answers {
  return Object.fromEntries(
    parts.map(({ data }) => {
      const { approvalId, ...answer } = validate(approvalIdSchema, data, 'data');
      return [approvalId, validate(answerSchema, answer, 'data')];
    }),
  );
}

const approvalIdSchema = z.looseObject(
  { approvalId: z.string().max(128) },
  {
    error:
      'The task waits for approvals. Answer each with a data part: approvalId, decision, and input or reason',
  },
);

/** What we note of the client's own names, to call things by them again. */
const noteSchema = z.object({ a2a: z.object({ messageId: z.string() }) });

export function noteOf({ message }: Send): z.output<typeof noteSchema> {
  return { a2a: { messageId: message.messageId } };
}

export function questionIdOf({ messageId, metadata }: Run): string {
  return noteSchema.safeParse(metadata).data?.a2a.messageId ?? `${messageId}-user`;
}
