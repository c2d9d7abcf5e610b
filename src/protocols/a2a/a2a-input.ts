import { z } from 'zod';
import { joinPieces, type Piece } from '../../events/message-order.js';
import { answerSchema } from '../../streams/input-answer.schema.js';
import { idSchema } from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Run } from '../../runs/run.js';
import type { GivenFile } from '../../streams/given-files.js';
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

const name = z.string().max(255).optional();

/** Empty is absent: the SDK writes every field. */
const optionalText = z.union([z.literal('').transform(() => undefined), z.string()]).optional();

/** A file as version 0.3 has it. */
const fileSchema = z.looseObject({ bytes: optionalText, uri: optionalText, mimeType: name, name });

const partSchema = z
  .looseObject({
    text: z.string().optional(),
    data: z.looseObject({}).optional(),
    raw: optionalText,
    url: optionalText,
    mediaType: name,
    filename: name,
    file: fileSchema.optional(),
  })
  .refine(
    ({ text, data, raw, url, file }) =>
      [text, data, raw, url, file?.bytes, file?.uri].some((value) => value !== undefined),
    'Only text, files and data are understood',
  );

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
 * Reads the text and the files of a new message. Data is refused, because only a task that waits for it takes any. @throws AppError
 * REQUEST_INVALID
 */
export function readContent({ message: { parts } }: Send): {
  readonly text: string;
  readonly files: readonly GivenFile[];
} {
  if (parts.some(({ data }) => data !== undefined))
    throw new AppError(
      'REQUEST_INVALID',
      'parts: Send text and files. Data is only for answers, in a message with a taskId.',
    );
  const pieces = parts.flatMap((part): Piece<GivenFile>[] => [
    ...(part.text === undefined ? [] : [{ text: part.text }]),
    ...toGivenFile(part).map((file) => ({ file })),
  ]);
  return joinPieces(pieces, '\n');
}

function toGivenFile({ raw, url, mediaType, filename, file }: Part): GivenFile[] {
  if (file)
    return [{ data: file.bytes, url: file.uri, mediaType: file.mimeType || undefined, name: file.name }];
  if (raw === undefined && url === undefined) return [];
  return [{ data: raw, url, mediaType: mediaType || undefined, name: filename }];
}

type Part = Send['message']['parts'][number];

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
