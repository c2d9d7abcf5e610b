import { z } from 'zod';
import { validate } from '../http/validate.js';
import type { WebRequest } from '../http/http.types.js';
import { joinPieces, trimText, type Piece } from '../events/message-order.js';
import type { MessageFile } from '../runs/start-request.js';
import { messagePartSchema } from './file.schemas.js';

/** Ids that clients may bring along or send back: safe in a URL, in an event id, in a file name. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Use 1 to 64 letters, digits, _ and -');

/** A person's message, in any protocol. */
export const messageSchema = z
  .string()
  .refine((text) => text.trim() !== '', 'Say something')
  .refine((text) => !text.includes('\0'), 'A NUL character cannot be stored')
  .refine((text) => text.isWellFormed(), 'The text has half of a surrogate pair')
  .meta({ description: 'What the person says.', example: 'Which countries border Austria?' });

/** The same with files, in any order: the texts are joined, and each file has its place in them. */
export const messagePartsSchema = z
  .array(messagePartSchema)
  .min(1)
  .max(100)
  .transform(readParts)
  .refine(({ files, message }) => files.length > 0 || message.trim() !== '', 'Say something, or send a file')
  .refine(({ message }) => !message.includes('\0'), 'A NUL character cannot be stored')
  .refine(({ message }) => message.isWellFormed(), 'The text has half of a surrogate pair')
  .meta({ description: 'What the person says, in parts.' });

function readParts(parts: readonly z.output<typeof messagePartSchema>[]): {
  readonly message: string;
  readonly files: readonly MessageFile[];
} {
  const pieces = parts.map((part): Piece<MessageFile> =>
    part.type === 'text' ? { text: part.text } : { file: part },
  );
  const joined = joinPieces(pieces, '\n\n');
  const { text: message, files } = trimText(joined.text, joined.files);
  return { message, files };
}

/** Bytes of JSON that a run's metadata may take, and how deep it may nest. */
const METADATA_BYTES = 16 * 1024;
const METADATA_DEPTH = 8;

/** A run's notes, in any protocol. */
export const metadataSchema = z
  .record(z.string().max(64), z.unknown())
  .refine((metadata) => !nestsDeeper(metadata, METADATA_DEPTH), `Nest at most ${METADATA_DEPTH} levels`)
  .refine(
    (metadata) => JSON.stringify(metadata).length <= METADATA_BYTES,
    `Use at most ${METADATA_BYTES} bytes of JSON`,
  );

/** Maximum nesting of the values that a start gives to its graph. */
const GIVEN_DEPTH = 32;

const given = () =>
  z
    .record(z.string().max(256), z.unknown())
    .refine((value) => !nestsDeeper(value, GIVEN_DEPTH), `Nest at most ${GIVEN_DEPTH} levels`)
    .optional();

/** Tools of its front end that a start may declare. Each is part of every prompt. */
export const MAX_CLIENT_TOOLS = 64;

const clientToolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Use 1 to 64 letters, digits, _ and -');

/** The fields of a front end's tool that all protocols name alike. */
export const clientToolFields = {
  name: clientToolName,
  description: z.string().max(10_000).default(''),
};

/** JSON Schema of a tool's arguments. */
export const inputSchemaField = z
  .record(z.string().max(256), z.unknown())
  .refine((value) => !nestsDeeper(value, GIVEN_DEPTH), `Nest at most ${GIVEN_DEPTH} levels`)
  .meta({ description: 'JSON Schema of the arguments.' });

/** Values that a start gives to its agent beside the message, those of a graph under LangGraph's names, in any protocol. How long it may be is the message's limit. */
export const givenSchemas = {
  input: given().meta({ description: "The graph's own input, where that is more than a message." }),
  context: given().meta({ description: 'What the graph finds as `runtime.context`.' }),
  clientTools: z
    .array(
      z.strictObject({
        ...clientToolFields,
        inputSchema: inputSchemaField.optional(),
      }),
    )
    .max(MAX_CLIENT_TOOLS)
    .optional()
    .meta({
      description:
        'Tools that the front end runs. A call of one ends the run `awaiting-input`; its result, as the answer, starts the run that continues it.',
    }),
  configurable: given().meta({ description: 'Values of `configurable`, as far as the agent takes them.' }),
};

/** The place of a run in its thread. */
export const forkSchemas = {
  parentRunId: idSchema.nullable().optional().meta({
    description:
      'The run of the same thread to continue from. Null: start the thread over. Absent: the newest run.',
  }),
  replaces: idSchema.optional().meta({
    description:
      'The run whose place the new one takes: with another `message`, or without one to repeat it. Both remain, as versions of one turn.',
  }),
};

/** Printable ASCII: what RFC 9110 allows in a field value, less the control characters. */
const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Use 1 to 255 printable ASCII characters');

/** Returns the request's `Idempotency-Key`, for a start. @throws AppError REQUEST_INVALID */
export function readIdempotencyKey({ headers }: Pick<WebRequest, 'headers'>): { idempotencyKey?: string } {
  const key = headers['idempotency-key'];
  return key === undefined ? {} : { idempotencyKey: validate(idempotencyKeySchema, key, 'Idempotency-Key') };
}

/** Without recursion, so that no depth can exhaust the stack. */
function nestsDeeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth < levels; depth++) {
    level = level.flatMap((item) => (isContainer(item) ? Object.values(item) : []));
  }
  return level.some(isContainer);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
