import { z } from 'zod';
import {
  forkSchemas,
  givenSchemas,
  idSchema,
  messagePartsSchema,
  messageSchema,
  metadataSchema,
} from '../../streams/start-run.schemas.js';

/** Body of `POST /api/chat` and `POST /api/chat/runs`. Fields that are not listed are refused. */
export const startRunSchema = z
  .strictObject({
    message: z.union([messageSchema, messagePartsSchema]).optional(),
    threadId: idSchema.optional().meta({ description: 'The conversation to go on with. Absent: a new one.' }),
    agent: z.string().min(1).max(64).optional().meta({ description: 'Absent: the default agent.' }),
    metadata: metadataSchema
      .optional()
      .meta({ description: 'Your own notes, kept with the run and handed to the agent.' }),
    ...forkSchemas,
    ...givenSchemas,
  })
  .refine(
    ({ message, input, replaces }) => message !== undefined || input !== undefined || replaces !== undefined,
    { error: 'Send a message, or the input of the graph', path: ['message'] },
  )
  .meta({ id: 'StartRunRequest' });
export type StartRunBody = z.output<typeof startRunSchema>;
