import { z } from 'zod';
import type { StartRunRequest } from '../../runs/run.service.js';
import { readGivenMessage } from '../../streams/given-message.js';
import { givenSchemas, idSchema, metadataSchema } from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import type { Run } from '../../runs/run.js';
import type { LangGraphEvent } from './langgraph-events.js';

/** A subscription to channels of a thread, from a sequence number on. */
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

/**
 * The part of a run's config that we support. The address names the thread as well. Tags and the name are for traces. Empty values of the rest change
 * nothing.
 */
const configSchema = z
  .looseObject({
    configurable: z.record(z.string(), z.unknown()).nullish(),
    recursion_limit: z.int().positive().nullish(),
    metadata: metadataSchema.nullish(),
  })
  .superRefine((config, context) => {
    for (const [name, value] of Object.entries(config)) {
      if (!CONFIG_KEYS.has(name) && !isEmpty(value))
        context.addIssue({ code: 'custom', message: 'Not supported here', path: [name] });
    }
  });

const CONFIG_KEYS = new Set(['configurable', 'recursion_limit', 'metadata', 'tags', 'run_name']);

/** True for a value that asks for nothing. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export const runStartSchema = z.looseObject({
  assistant_id: z.string().max(64),
  input: z.looseObject({ messages: z.union([inputMessage, z.array(inputMessage).min(1)]).optional() }),
  config: configSchema.nullish(),
  context: givenSchemas.context.nullish(),
  metadata: metadataSchema.nullish(),
});

/** Returns the metadata of a run: LangGraph takes it from both places. */
export function metadataIn({
  config,
  metadata,
}: Partial<Pick<z.output<typeof runStartSchema>, 'config' | 'metadata'>>): Record<string, unknown> {
  return { ...config?.metadata, ...metadata };
}

/** Returns the values that a `run.start` gives beside its message, under our names. */
export function givenIn({
  input,
  config,
  context,
}: Partial<Pick<z.output<typeof runStartSchema>, 'config' | 'context'>> & {
  readonly input?: Readonly<Record<string, unknown>> | null | undefined;
}): Pick<StartRunRequest, 'input' | 'context' | 'configurable' | 'isWithoutMessage' | 'recursionLimit'> {
  const { thread_id: _, ...configurable } = config?.configurable ?? {};
  // A plain message says everything.
  const { messages, ...others } = input ?? {};
  const isPlain = Object.keys(others).length === 0 && isOneText(messages);
  return {
    ...(input && !isPlain && { input }),
    ...(input && messages === undefined && { isWithoutMessage: true }),
    ...(context && { context }),
    ...(Object.keys(configurable).length > 0 && { configurable }),
    ...(config?.recursion_limit && { recursionLimit: config.recursion_limit }),
  };
}

function isOneText(messages: unknown): boolean {
  const all: readonly unknown[] = Array.isArray(messages) ? messages : [messages];
  const { content } = (all[0] ?? {}) as { readonly content?: unknown };
  return (
    all.length === 1 &&
    (typeof content === 'string' ||
      (Array.isArray(content) && content.every((part) => (part as { type?: unknown }).type === 'text')))
  );
}

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
    context.addIssue({ code: 'custom', message: 'Send the id of the interrupt', path: ['interrupt_id'] });
    return z.NEVER;
  });

/** Finds the person's question in a `run.start`. @throws AppError REQUEST_INVALID */
export function findQuestion({
  input,
}: {
  readonly input?: z.output<typeof runStartSchema>['input'] | null | undefined;
}): { id?: string; text: string } {
  if (!input)
    throw new AppError('REQUEST_INVALID', 'input: Send a message, or a command that answers what was asked.');
  const { messages } = input;
  if (messages === undefined) return { text: readGivenMessage(input).message };
  const last = Array.isArray(messages) ? messages.at(-1)! : messages;
  const speaker = last.type ?? last.role;
  if (speaker !== 'human' && speaker !== 'user')
    throw new AppError('REQUEST_INVALID', 'input: The last message must be from the human.');
  const id = last.id ? { id: last.id } : {};
  if (typeof last.content === 'string') return { ...id, text: last.content };
  const text = last.content.flatMap(({ text: part }) => (part === undefined ? [] : [part])).join('\n');
  // A picture by itself is a question, too.
  return { ...id, text: text.trim() === '' && last.content.length > 0 ? '…' : text };
}

/** The client's own names, kept so that we call things by them again. */
const noteSchema = z.object({ langGraph: z.object({ messageId: z.string() }) });

export function toNote(messageId: string): z.output<typeof noteSchema> {
  return { langGraph: { messageId } };
}

/** As the client calls the question; where it has not named it, as we do. */
export function getQuestionId({ messageId, metadata }: Run): string {
  return noteSchema.safeParse(metadata).data?.langGraph.messageId ?? `${messageId}-user`;
}
