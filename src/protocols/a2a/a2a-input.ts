import { z } from 'zod';
import { answerSchema } from '../../streams/input-answer.schema.js';
import { idSchema } from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Run } from '../../runs/run.js';
import type { Decisions } from '../thread-inputs.js';

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
export function returnsImmediately({ configuration }: Send): boolean {
  return configuration?.returnImmediately ?? configuration?.blocking === false;
}

/**
 * Reads the text of a new message. It has to be text, because only a task that waits for data takes data. @throws AppError
 * REQUEST_INVALID
 */
export function readText({ message: { parts } }: Send): string {
  if (parts.some(({ text }) => text === undefined))
    throw new AppError(
      'REQUEST_INVALID',
      'parts: Send text. Data is only for answers, in a message with a taskId.',
    );
  return parts.map(({ text = '' }) => text).join('\n');
}

/** Reads the decisions of a message: one data part for each. @throws AppError REQUEST_INVALID */
export function readDecisions({ message: { parts } }: Send): Decisions {
  return Object.fromEntries(
    parts.map(({ data }) => {
      const { inputId, ...answer } = validate(inputIdSchema, data, 'data');
      return [inputId, validate(answerSchema, answer, 'data')];
    }),
  );
}

const inputIdSchema = z.looseObject(
  { inputId: z.string().max(128) },
  {
    error:
      'The task waits for input. Answer each with a data part: inputId, decision, and input, reason or value',
  },
);

/** The client's own names, kept so that we call things by them again. */
const noteSchema = z.object({ a2a: z.object({ messageId: z.string() }) });

export function toNote({ message }: Send): z.output<typeof noteSchema> {
  return { a2a: { messageId: message.messageId } };
}

export function getQuestionId({ messageId, metadata }: Run): string {
  return noteSchema.safeParse(metadata).data?.a2a.messageId ?? `${messageId}-user`;
}
