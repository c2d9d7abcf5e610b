import { z } from 'zod';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { AppError } from '../../errors.js';
import type { Run } from '../../runs/run.js';
import type { LangGraphEvent } from './langgraph.events.js';

/** What a stream is asked for: channels of a thread, from a place on. */
export const subscriptionSchema = z
  .looseObject({
    channels: z.array(z.string().max(128)).max(64),
    namespaces: z.array(z.array(z.string())).optional(),
    depth: z.int().nonnegative().optional(),
    since: z.int().nonnegative().optional().meta({ description: 'Goes on behind the event of this seq.' }),
  })
  .meta({ id: 'LangGraphSubscription' });
export type Subscription = z.output<typeof subscriptionSchema>;

/** True for an event that the subscription is about. All of ours are in the root namespace. */
export function isWanted(
  { method, params }: LangGraphEvent,
  { channels, namespaces }: Subscription,
): boolean {
  if (namespaces?.length && !namespaces.some((prefix) => prefix.length === 0)) return false;
  switch (method) {
    case 'input.requested':
    case 'input.answered':
      return channels.includes('input');
    case 'custom': {
      const { name } = params.data as { name: string };
      return channels.includes('custom') || channels.includes(`custom:${name}`);
    }
    default:
      return channels.includes(method);
  }
}

export const commandSchema = z
  .looseObject({ id: z.int(), method: z.string(), params: z.looseObject({}).optional() })
  .meta({ id: 'LangGraphCommand' });

/** The message that a run answers: the last one of the input, which has to be a person's. */
const inputMessage = z.looseObject({
  id: idSchema.nullish(),
  type: z.string().optional(),
  role: z.string().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
});

export const runStartSchema = z.looseObject({
  assistant_id: z.string().max(64),
  input: z.looseObject({ messages: z.union([inputMessage, z.array(inputMessage).min(1)]) }),
});

const responseSchema = z.looseObject({ interrupt_id: z.string().max(128), response: z.unknown() });

/** A response to one interrupt or to several. What else LangGraph does with them would make another run of it. */
export const respondSchema = z
  .looseObject({
    interrupt_id: z.string().max(128).optional(),
    response: z.unknown().optional(),
    responses: z.array(responseSchema).min(1).max(100).optional(),
    update: z.null({ error: 'Not supported here' }).optional(),
    goto: z.null({ error: 'Not supported here' }).optional(),
  })
  .transform(({ interrupt_id, response, responses }, context) => {
    const all = responses ?? (interrupt_id === undefined ? [] : [{ interrupt_id, response }]);
    if (all.length > 0) return all.map((one) => [one.interrupt_id, one.response] as const);
    context.addIssue({ code: 'custom', message: 'Name the interrupt', path: ['interrupt_id'] });
    return z.NEVER;
  });

/** What a person says in a `run.start`. @throws AppError REQUEST_INVALID */
export function questionOf({
  input,
}: {
  readonly input?: z.output<typeof runStartSchema>['input'] | null | undefined;
}): { id?: string; text: string } {
  if (!input)
    throw new AppError('REQUEST_INVALID', 'input: Send a message, or a command that answers what was asked.');
  const { messages } = input;
  const last = Array.isArray(messages) ? messages.at(-1)! : messages;
  const speaker = last.type ?? last.role;
  if (speaker !== 'human' && speaker !== 'user')
    throw new AppError('REQUEST_INVALID', 'input: The last message has to be a human one.');
  const id = last.id ? { id: last.id } : {};
  if (typeof last.content === 'string') return { ...id, text: last.content };
  if (last.content.some(({ type }) => type !== 'text'))
    throw new AppError('REQUEST_INVALID', 'input: The last message has to be text.');
  return { ...id, text: last.content.map(({ text = '' }) => text).join('\n') };
}

/** What we note of the client's own names, to call things by them again. */
const noteSchema = z.object({ langGraph: z.object({ messageId: z.string() }) });

export function noteOf(messageId: string): z.output<typeof noteSchema> {
  return { langGraph: { messageId } };
}

/** As the client calls the question; where it has not named it, as we do. */
export function questionIdOf({ messageId, metadata }: Run): string {
  return noteSchema.safeParse(metadata).data?.langGraph.messageId ?? `${messageId}-user`;
}
