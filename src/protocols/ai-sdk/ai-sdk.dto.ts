import { z } from 'zod';
import type { ApprovalAnswer } from '../../events/approval.js';
import type { Answers } from '../thread.approvals.js';

/** Of a UIMessage, what starts a run. Clients send more, and each version of them other things: all of it passes unread. */
const messageSchema = z.looseObject({
  id: z.string().optional(),
  role: z.enum(['system', 'user', 'assistant']),
  parts: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
});
type Message = z.output<typeof messageSchema>;

/** The part of a tool call that a person has just decided on. */
const decidedPartSchema = z.looseObject({
  approval: z.looseObject({
    id: z.string().max(128),
    approved: z.boolean(),
    reason: z.string().max(1000).nullish(),
  }),
});

/**
 * What `DefaultChatTransport` posts: the whole history, or with `prepareSendMessagesRequest` only the last message. The thread
 * has its history here, so only the last message counts, or the one of the assistant's that is named: when it has answers to
 * approvals, these are what is sent.
 */
export const askSchema = z
  .looseObject({
    id: z.string().meta({ description: "The chat's id, minted by the client: the thread." }),
    messages: z.array(messageSchema).optional(),
    message: messageSchema.optional().meta({ description: 'In place of `messages`: the last one.' }),
    messageId: z.string().nullish().meta({ description: 'The message whose approvals are answered.' }),
    agent: z.string().min(1).max(64).optional().meta({ description: 'Absent: the default agent.' }),
  })
  .transform(({ id: threadId, messages = [], message, messageId, agent }, context) => {
    const last = message ?? messages.at(-1);
    const named = messages.find(({ id }) => id !== undefined && id === messageId);
    const decided = decidedIn(named?.role === 'assistant' ? named : last);
    const { success, data, error } = z.array(decidedPartSchema).safeParse(decided);
    if (success && data.length > 0) return { threadId, answers: answersIn(data) };
    if (error) {
      const at = message ? 'message' : 'messages';
      context.addIssue({ code: 'custom', message: 'An answer to an approval does not fit', path: [at] });
      return z.NEVER;
    }
    if (last?.role === 'user' && last.parts.every(isText))
      return { threadId, message: textOf(last), ...(agent !== undefined && { agent }) };
    const fault =
      last?.role === 'user'
        ? 'Send text only'
        : "Let the last message be the user's, or one with answers to approvals";
    context.addIssue({ code: 'custom', message: fault, path: [message ? 'message' : 'messages'] });
    return z.NEVER;
  });

/** The same, for the API's description: what a transform makes cannot be described. */
export const askBodySchema = askSchema.in;

/** The parts that a person has decided on. Earlier approvals have another state: their calls were made, or will not be. */
function decidedIn(message: Message | undefined): unknown[] {
  if (message?.role !== 'assistant') return [];
  return message.parts.filter(({ state }) => state === 'approval-responded');
}

function answersIn(parts: readonly z.output<typeof decidedPartSchema>[]): Answers {
  return Object.fromEntries(
    parts.map(({ approval: { id, approved, reason } }): [string, ApprovalAnswer] => [
      id,
      approved ? { decision: 'approve' } : { decision: 'deny', ...(reason && { reason }) },
    ]),
  );
}

function isText({ type }: Message['parts'][number]): boolean {
  return type === 'text';
}

function textOf({ parts }: Message): string {
  return parts.map(({ text }) => text ?? '').join('\n');
}
