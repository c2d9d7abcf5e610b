import { z } from 'zod';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { AppError } from '../../errors.js';
import type { ApprovalAnswer } from '../../events/approval.js';
import type { Run } from '../../runs/run.js';
import type { Answers } from '../thread.approvals.js';

const message = z.looseObject({
  id: z.string().max(128),
  role: z.string(),
  content: z.unknown().optional(),
  toolCalls: z.array(z.looseObject({ id: z.string() })).optional(),
});

/** An answer to an interrupt: what its `responseSchema` describes, or nothing when the person wants none of it. */
const resumeSchema = z.discriminatedUnion('status', [
  z.looseObject({
    interruptId: z.string().max(128),
    status: z.literal('resolved'),
    payload: z.looseObject({
      approved: z.boolean(),
      editedArgs: z.record(z.string(), z.unknown()).nullish(),
      reason: z.string().max(1000).nullish(),
    }),
  }),
  z.looseObject({ interruptId: z.string().max(128), status: z.literal('cancelled') }),
]);

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
    resume: z
      .array(resumeSchema)
      .nullish()
      .meta({ description: 'Answers to all interrupts of the run before: then no message is read.' }),
  })
  .meta({ id: 'RunAgentInput' });
export type RunInput = z.output<typeof runInputSchema>;

/** What a person says in a RunAgentInput. @throws AppError REQUEST_INVALID */
export function questionOf({ messages }: RunInput): { readonly id: string; readonly text: string } {
  const last = messages.at(-1);
  if (last?.role !== 'user')
    throw new AppError('REQUEST_INVALID', 'messages: The last one has to be from the user: tools run here.');
  return { id: last.id, text: textOf(last.content) };
}

/** What a person decides in a RunAgentInput. Undefined when it asks for something new. */
export function answersOf({ resume }: RunInput): Answers | undefined {
  if (!resume?.length) return undefined;
  return Object.fromEntries(resume.map((entry) => [entry.interruptId, answerOf(entry)]));
}

function answerOf(entry: z.output<typeof resumeSchema>): ApprovalAnswer {
  if (entry.status === 'cancelled') return { decision: 'deny' };
  const { approved, editedArgs, reason } = entry.payload;
  if (!approved) return { decision: 'deny', ...(reason && { reason }) };
  return editedArgs ? { decision: 'edit', input: editedArgs } : { decision: 'approve' };
}

/** What we note of the client's own names, to call things by them again. */
const noteSchema = z.object({ agUi: z.object({ runId: z.string(), messageId: z.string() }) });

export function noteOf({ runId }: RunInput, messageId: string): z.output<typeof noteSchema> {
  return { agUi: { runId, messageId } };
}

/**
 * As the client calls the run and the question; where another protocol has started it, as we do. A run that goes on after approvals
 * has the notes of the one before it: of its own name nothing is noted.
 */
export function namesOf({ id, messageId, metadata, resumeOf }: Run): { runId: string; questionId: string } {
  const note = noteSchema.safeParse(metadata).data?.agUi;
  return {
    runId: (resumeOf === undefined ? note?.runId : undefined) ?? id,
    questionId: note?.messageId ?? `${messageId}-user`,
  };
}

const textPart = z.object({ type: z.literal('text'), text: z.string() });

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts = z.array(textPart).safeParse(content);
  if (!parts.success) throw new AppError('REQUEST_INVALID', 'messages: The last one has to be text.');
  return parts.data.map(({ text }) => text).join('\n');
}
