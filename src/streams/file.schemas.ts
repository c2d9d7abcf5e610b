import { z } from 'zod';

/** The facts of a file, in logs and messages. */
export const fileFields = {
  mediaType: z.string(),
  name: z.string().optional(),
  url: z.string().optional(),
  fileId: z.string().optional(),
  bytes: z.int().nonnegative().optional(),
  omitted: z.enum(['too-large', 'no-room', 'unreadable', 'unreachable']).optional(),
};

export const fileSchema = z.object(fileFields).meta({ id: 'File' });

/** A file of a person's message. */
export const placedFileSchema = fileSchema
  .extend({
    at: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'Its place in the text: the number of UTF-16 code units before it. Default 0.' }),
  })
  .meta({ id: 'MessageFile' });

export const uploadQuerySchema = z.strictObject({
  name: z
    .string()
    .max(255)
    .refine((name) => !name.includes('\0') && name.isWellFormed(), 'Use a name without NUL')
    .optional()
    .meta({ description: 'Name of the file, for people and for the model.' }),
  type: z.string().max(255).optional().meta({ description: 'Declared media type. Counts only for text.' }),
});
export type UploadQueryDto = z.output<typeof uploadQuerySchema>;

export const uploadedSchema = z
  .object({
    fileId: z.string(),
    mediaType: z.string(),
    name: z.string().optional(),
    bytes: z.int().nonnegative(),
  })
  .meta({ id: 'UploadedFile' });
export type UploadedDto = z.output<typeof uploadedSchema>;

export const fileTicketSchema = z
  .object({
    ticket: z.string(),
    expiresAt: z.int().nonnegative(),
    url: z.string().meta({ description: 'With the ticket in it.' }),
  })
  .meta({ id: 'FileTicket' });
export type FileTicketDto = z.output<typeof fileTicketSchema>;

const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'Write the bytes in base64')
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const fileName = {
  mediaType: z
    .string()
    .max(255)
    .optional()
    .meta({ description: 'Declared media type. Counts only for text.' }),
  name: uploadQuerySchema.shape.name,
};

/** Parts of a message. */
export const messagePartSchema = z.union([
  z.strictObject({ type: z.literal('text'), text: z.string() }).meta({ id: 'TextPart' }),
  z
    .strictObject({
      type: z.literal('file'),
      fileId: z.string().max(64).meta({ description: 'Of an upload, or of a file of the conversation.' }),
    })
    .meta({ id: 'StoredFilePart' }),
  z.strictObject({ type: z.literal('file'), data: base64, ...fileName }).meta({ id: 'DataFilePart' }),
  z
    .strictObject({
      type: z.literal('file'),
      url: z
        .string()
        .max(4_096)
        .meta({ description: 'The model provider fetches it. Taken only if the server allows it.' }),
      ...fileName,
    })
    .meta({ id: 'UrlFilePart' }),
]);
