import { z } from 'zod';
import { idSchema } from '../../streams/start-run.schemas.js';
import { newId } from '../../runs/run-ids.js';
import type { AddedMessage } from '../../events/requested-input.js';

const ROLES = { ai: 'assistant', assistant: 'assistant', human: 'user', user: 'user' } as const;
type Speaker = keyof typeof ROLES;

/** Bytes of JSON that the messages of an answer may take: they are stored with it, and in the log. */
const MAX_BYTES = 64 * 1024;

const textSchema = z.looseObject({ type: z.literal('text'), text: z.string() });

/** A message of the assistant or of a person, in LangChain's form. It calls no tools: a graph would make the calls, although no model asked for them. */
const messageSchema = z
  .looseObject({
    id: idSchema.nullish(),
    type: z.string().optional(),
    role: z.string().optional(),
    content: z.union([z.string(), z.array(textSchema)]),
    name: z.string().nullish(),
    response_metadata: z.record(z.string(), z.unknown()).nullish(),
    tool_calls: z.array(z.never(), { error: 'Not supported here' }).nullish(),
  })
  .transform(({ id, type, role, content, name, response_metadata: metadata }, context): AddedMessage => {
    const speaker = type ?? role ?? '';
    if (!Object.hasOwn(ROLES, speaker)) {
      context.addIssue({ code: 'custom', message: 'Send a message of type ai or human', path: ['type'] });
      return z.NEVER;
    }
    const text = typeof content === 'string' ? content : content.map((part) => part.text).join('\n');
    const message = { id: id ?? newId(), role: ROLES[speaker as Speaker], text };
    const { output_version: _, ...facts } = metadata ?? {};
    const form = { type: message.role === 'user' ? 'human' : 'ai', id: message.id, content: text };
    return {
      ...message,
      original: { ...form, ...(name && { name }), ...(metadata && { response_metadata: facts }) },
    };
  });

/** The `update` of an answer. Other keys of the state would be changed past the schema of the graph's input. */
export const addedMessagesSchema = z
  .strictObject({ messages: z.array(messageSchema).min(1).max(20) })
  .transform(({ messages }) => messages)
  .refine(
    (messages) => JSON.stringify(messages).length <= MAX_BYTES,
    `More than ${MAX_BYTES} bytes of messages`,
  );
