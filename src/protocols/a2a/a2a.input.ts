import { z } from 'zod';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import type { Run } from '../../runs/run.js';

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

export const sendSchema = z.looseObject({
  message: z.looseObject({
    messageId: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Use 1 to 128 printable ASCII characters'),
    contextId: optionalId,
    taskId: optionalId,
    parts: z.array(z.looseObject({ text: z.string({ error: 'Only text is understood' }) })).min(1),
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

/** What we note of the client's own names, to call things by them again. */
const noteSchema = z.object({ a2a: z.object({ messageId: z.string() }) });

export function noteOf({ message }: Send): z.output<typeof noteSchema> {
  return { a2a: { messageId: message.messageId } };
}

export function questionIdOf({ messageId, metadata }: Run): string {
  return noteSchema.safeParse(metadata).data?.a2a.messageId ?? `${messageId}-user`;
}
