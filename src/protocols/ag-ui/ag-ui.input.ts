import { z } from 'zod';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { AppError } from '../../errors.js';
import type { Run } from '../../runs/run.js';

const message = z.looseObject({
  id: z.string().max(128),
  role: z.string(),
  content: z.unknown().optional(),
  toolCalls: z.array(z.looseObject({ id: z.string() })).optional(),
});

/** AG-UI's RunAgentInput, as far as we read it. Its `state`, `tools` and `context` are the client's business. */
export const runInputSchema = z
  .looseObject({
    threadId: idSchema.meta({ description: 'The conversation; made when there is none of this id.' }),
    runId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'Use 1 to 128 printable ASCII characters')
      .meta({ description: 'The same id finds the same run: a repeated request never starts a second one.' }),
    messages: z.array(message).meta({ description: 'The conversation; of it the last message is read.' }),
    protocolVersion: z.string().nullish(),
    resume: z.array(z.unknown()).nullish(),
  })
  .meta({ id: 'RunAgentInput' });
export type RunInput = z.output<typeof runInputSchema>;

/** What a person says in a RunAgentInput. @throws AppError REQUEST_INVALID */
export function questionOf({ messages, resume }: RunInput): { readonly id: string; readonly text: string } {
  if (resume?.length)
    throw new AppError('REQUEST_INVALID', 'resume: No interrupt is open. Send a message instead.');
  const last = messages.at(-1);
  if (last?.role !== 'user')
    throw new AppError('REQUEST_INVALID', 'messages: The last one has to be from the user: tools run here.');
  return { id: last.id, text: textOf(last.content) };
}

/** What we note of the client's own names, to call things by them again. */
const noteSchema = z.object({ agUi: z.object({ runId: z.string(), messageId: z.string() }) });

export function noteOf({ runId }: RunInput, messageId: string): z.output<typeof noteSchema> {
  return { agUi: { runId, messageId } };
}

/** As the client calls the run and the question; where another protocol has started it, as we do. */
export function namesOf({ id, messageId, metadata }: Run): { runId: string; questionId: string } {
  const note = noteSchema.safeParse(metadata);
  if (!note.success) return { runId: id, questionId: `${messageId}-user` };
  return { runId: note.data.agUi.runId, questionId: note.data.agUi.messageId };
}

const textPart = z.object({ type: z.literal('text'), text: z.string() });

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts = z.array(textPart).safeParse(content);
  if (!parts.success) throw new AppError('REQUEST_INVALID', 'messages: The last one has to be text.');
  return parts.data.map(({ text }) => text).join('\n');
}
