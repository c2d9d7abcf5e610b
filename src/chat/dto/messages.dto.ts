import { z } from 'zod';
import { toRunMessageId } from '../../runs/run-inbox.js';
import type { RunMessage } from '../../runs/run-messages.js';
import type { Run } from '../../runs/run.js';
import { idSchema, messagePartsSchema, messageSchema } from '../../streams/start-run.schemas.js';

/** Body of `POST /api/chat/runs/:runId/messages`. Fields that are not listed are refused. */
export const addMessageSchema = z
  .strictObject({
    message: z.union([messageSchema, messagePartsSchema]),
    id: idSchema.optional().meta({
      description: 'Your id for the message, unique in its run. A request that repeats it adds nothing.',
    }),
  })
  .refine(({ message }) => typeof message === 'string' || message.files.length === 0, {
    error: 'A run that is under way takes no files. Send them in a message of their own',
    path: ['message'],
  })
  .meta({ id: 'AddMessageRequest' });
export type AddMessageBody = z.output<typeof addMessageSchema>;

export const runMessageSchema = z
  .object({
    id: z.string(),
    messageId: z.string().meta({ description: 'Its id in the conversation: of its `message-put` event.' }),
    message: z.string(),
    at: z.int().meta({ description: 'When it was accepted, in milliseconds since the epoch.' }),
  })
  .meta({ id: 'RunMessage', description: 'A message to a run that is under way.' });
export type RunMessageDto = z.output<typeof runMessageSchema>;

export function toRunMessageDto(
  run: Pick<Run, 'messageId'>,
  { id, text, at }: Pick<RunMessage, 'id' | 'text' | 'at'>,
): RunMessageDto {
  return { id, messageId: toRunMessageId(run, id), message: text, at };
}
