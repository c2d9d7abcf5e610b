import { z } from 'zod';

/** Of a UIMessage, what starts a run. Clients send more, and each version of them other things: all of it passes unread. */
const messageSchema = z.looseObject({
  role: z.enum(['system', 'user', 'assistant']),
  parts: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
});
type Message = z.output<typeof messageSchema>;

/**
 * What `DefaultChatTransport` posts: the whole history, or with `prepareSendMessagesRequest` only the last message. The thread
 * has its history here, so only the last message counts.
 */
export const askSchema = z
  .looseObject({
    id: z.string().meta({ description: "The chat's id, minted by the client: the thread." }),
    messages: z.array(messageSchema).optional(),
    message: messageSchema.optional().meta({ description: 'In place of `messages`: the last one.' }),
    agent: z.string().min(1).max(64).optional().meta({ description: 'Absent: the default agent.' }),
  })
  .transform(({ id, messages, message, agent }, context) => {
    const last = message ?? messages?.at(-1);
    if (last?.role === 'user' && last.parts.every(isText))
      return { threadId: id, message: textOf(last), ...(agent !== undefined && { agent }) };
    const fault = last?.role === 'user' ? 'Send text only' : "Let the last message be the user's";
    context.addIssue({ code: 'custom', message: fault, path: [message ? 'message' : 'messages'] });
    return z.NEVER;
  });

/** The same, for the API's description: what a transform makes cannot be described. */
export const askBodySchema = askSchema.in;

function isText({ type }: Message['parts'][number]): boolean {
  return type === 'text';
}

function textOf({ parts }: Message): string {
  return parts.map(({ text }) => text ?? '').join('\n');
}
