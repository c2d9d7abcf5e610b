import { z } from 'zod';
import type { GivenInput } from '../../agents/agent.js';
import type { StartRunRequest } from '../../runs/run.service.js';
import { readGivenMessage } from '../../streams/given-message.js';
import { givenSchemas, metadataSchema } from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Run } from '../../runs/run.js';
import { addedMessagesSchema } from './added-messages.js';
import { inputMessage } from './input-message.js';
import { parseCheckpointId } from './langgraph-checkpoints.js';
import type { AssistantVersion } from './assistant-versions.js';

export const commandSchema = z
  .looseObject({ id: z.int(), method: z.string(), params: z.looseObject({}).optional() })
  .meta({ id: 'LangGraphCommand' });

/**
 * The part of a run's config that we support. The address names the thread as well. Tags and the name are for traces. Empty values of the rest change
 * nothing.
 */
export const configSchema = z
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

const strategySchema = z.enum(['reject', 'enqueue', 'interrupt', 'rollback']);

/** Names of nodes. Clients also send the `*` for all nodes inside a list. */
const nodesSchema = z
  .union([z.string().max(256), z.array(z.string().max(256)).max(256)])
  .transform((nodes) => (typeof nodes === 'string' ? (nodes === '*' ? nodes : [nodes]) : nodes));

export const runStartSchema = z.looseObject({
  assistant_id: z.string().max(64),
  input: z.looseObject({ messages: z.union([inputMessage, z.array(inputMessage)]).optional() }).nullish(),
  config: configSchema.nullish(),
  context: givenSchemas.context.nullish(),
  metadata: metadataSchema.nullish(),
  multitask_strategy: strategySchema.nullish().meta({
    description: 'Rule if the thread has a run that has not ended. Default: the setting THREAD_BUSY.',
  }),
  multitaskStrategy: strategySchema.nullish().meta({ description: 'As `multitask_strategy`.' }),
  interrupt_before: nodesSchema.nullish().meta({ description: 'Nodes before which the graph stops.' }),
  interrupt_after: nodesSchema.nullish().meta({ description: 'Nodes after which the graph stops.' }),
});

/** Returns the rule for a start in a busy thread, in our words. */
export function findStrategy({
  multitask_strategy,
  multitaskStrategy,
}: Pick<z.output<typeof runStartSchema>, 'multitask_strategy' | 'multitaskStrategy'>): Pick<
  StartRunRequest,
  'whenBusy'
> {
  const strategy = multitask_strategy ?? multitaskStrategy;
  if (!strategy) return {};
  return { whenBusy: strategy === 'enqueue' ? 'queue' : strategy };
}

/** Returns the metadata of a run: LangGraph takes it from both places. */
export function metadataIn({
  config,
  metadata,
}: Partial<Pick<z.output<typeof runStartSchema>, 'config' | 'metadata'>>): Record<string, unknown> {
  return { ...config?.metadata, ...metadata };
}

/** Returns a request with what its assistant brings: what the request itself says goes before. */
export function withAssistant<Start extends Partial<z.output<typeof runStartSchema>>>(
  start: Start,
  assistant: Pick<AssistantVersion, 'config' | 'context' | 'metadata'> | undefined,
): Start {
  if (!assistant) return start;
  const config = assistant.config as z.output<typeof configSchema>;
  const context = { ...assistant.context, ...start.context };
  return {
    ...start,
    config: {
      ...start.config,
      recursion_limit: start.config?.recursion_limit ?? config.recursion_limit,
      configurable: { ...config.configurable, ...start.config?.configurable },
    },
    ...(!isEmpty(context) && { context }),
    metadata: { ...assistant.metadata, ...config.metadata, ...metadataIn(start) },
  };
}

type GivenFields = Partial<
  Pick<z.output<typeof runStartSchema>, 'config' | 'context' | 'interrupt_before' | 'interrupt_after'>
>;

/** Returns the values that a `run.start` gives beside its message, under our names. */
export function givenIn({
  input,
  config,
  context,
  interrupt_before: before,
  interrupt_after: after,
}: GivenFields & {
  readonly input?: Readonly<Record<string, unknown>> | null | undefined;
}): Omit<GivenInput, 'clientTools' | 'files'> {
  const given = Object.entries(config?.configurable ?? {}).filter(([name]) => !PLACE_KEYS.has(name));
  const configurable = Object.fromEntries(given);
  // A plain message says everything.
  const { messages, ...others } = input ?? {};
  const isPlain = Object.keys(others).length === 0 && isOneText(messages);
  return {
    ...(input && !isPlain && { input }),
    ...(input && { dropsUnknownKeys: true }),
    ...(input && hasNoMessage(messages) && { isWithoutMessage: true }),
    ...(context && { context }),
    ...(Object.keys(configurable).length > 0 && { configurable }),
    ...(config?.recursion_limit && { recursionLimit: config.recursion_limit }),
    ...(before && before.length > 0 && { interruptBefore: before }),
    ...(after && after.length > 0 && { interruptAfter: after }),
  };
}

/** The keys of `configurable` that name a thread and one of its states. */
const PLACE_KEYS = new Set(['thread_id', 'checkpoint_id', 'checkpoint_ns', 'checkpoint_map', 'checkpoint']);

/** Names a state. Configs have these fields one level deeper. */
export const placeSchema = z.looseObject({
  checkpoint_id: z.string().nullish(),
  checkpoint_ns: z
    .string()
    .nullish()
    .refine((namespace) => !namespace, 'A thread continues from the state of the whole graph'),
  configurable: z.looseObject({ checkpoint_id: z.string().nullish() }).optional(),
});

/** The place of a run in its thread. */
export type PlaceInThread = Pick<StartRunRequest, 'parentRunId' | 'replaces' | 'fromCheckpoint'>;

/**
 * Returns the place of a run in its thread, under our names.
 *
 * @throws AppError REQUEST_INVALID
 */
export function findPlace({
  checkpoint,
  checkpoint_id,
  config,
  input,
}: {
  readonly checkpoint?: z.output<typeof placeSchema> | null | undefined;
  readonly checkpoint_id?: string | null | undefined;
  readonly config?: z.output<typeof configSchema> | null | undefined;
  readonly input?: Readonly<Record<string, unknown>> | null | undefined;
}): PlaceInThread {
  const place = validate(placeSchema, config?.configurable ?? {}, 'config.configurable');
  const id = checkpoint?.checkpoint_id ?? checkpoint_id ?? place.checkpoint_id;
  if (!id) return {};
  const { runId, answered, checkpointId } = parseCheckpointId(id);
  if (checkpointId !== undefined) return { parentRunId: runId, fromCheckpoint: checkpointId };
  if (answered) return { parentRunId: runId };
  if (isEmpty(input)) return { replaces: runId };
  throw new AppError(
    'REQUEST_INVALID',
    'input: The state of a question can only regenerate its answer. Send no input, or continue from the state before it.',
  );
}

function hasNoMessage(messages: unknown): boolean {
  return messages === undefined || (Array.isArray(messages) && messages.length === 0);
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

/** A response to one interrupt or to several, and messages for the conversation. What else LangGraph does with them would make another run of it. */
export const respondSchema = z
  .looseObject({
    interrupt_id: z.string().max(128).optional(),
    response: z.unknown().optional(),
    responses: z.array(responseSchema).min(1).max(100).optional(),
    update: addedMessagesSchema.nullish(),
    goto: z.null({ error: 'Not supported here' }).optional(),
  })
  .transform(({ interrupt_id, response, responses, update }, context) => {
    const all = responses ?? (interrupt_id === undefined ? [] : [{ interrupt_id, response }]);
    if (all.length > 0)
      return {
        responses: all.map((one) => [one.interrupt_id, one.response] as const),
        added: update ?? undefined,
      };
    context.addIssue({ code: 'custom', message: 'Send the id of the interrupt', path: ['interrupt_id'] });
    return z.NEVER;
  });

/** The question of a run that repeats another one. */
export const AS_ASKED = { text: '', id: undefined };

/** Finds the person's question in a `run.start`. @throws AppError REQUEST_INVALID */
export function findQuestion({
  input,
}: {
  readonly input?: z.output<typeof runStartSchema>['input'] | null | undefined;
}): { id?: string; text: string } {
  if (!input)
    throw new AppError('REQUEST_INVALID', 'input: Send a message, or a command that answers what was asked.');
  const { messages } = input;
  const last = Array.isArray(messages) ? messages.at(-1) : messages;
  if (!last) return { text: readGivenMessage(input).message };
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
const noteSchema = z.object({
  langGraph: z.object({
    messageId: z.string().optional(),
    assistantId: z.string().optional(),
    streamModes: z.array(z.string()).optional(),
  }),
});

export function toNote({
  id,
  assistantId,
  streamModes,
}: {
  readonly id?: string | undefined;
  /** Of an assistant that is no agent. */
  readonly assistantId?: string | undefined;
  /** Those that the run was started with. */
  readonly streamModes?: readonly string[] | null | undefined;
}): Partial<z.output<typeof noteSchema>> {
  const note = {
    ...(id && { messageId: id }),
    ...(assistantId && { assistantId }),
    ...(streamModes && { streamModes: [...streamModes] }),
  };
  return isEmpty(note) ? {} : { langGraph: note };
}

/** As the client calls the question; where it has not named it, as we do. Undefined for a run that was started without a message. */
export function getQuestionId({ messageId, metadata, given }: Run): string | undefined {
  if (given?.isWithoutMessage) return undefined;
  return noteSchema.safeParse(metadata).data?.langGraph.messageId ?? `${messageId}-user`;
}

/** Returns the assistant that the run was started with. */
export function getAssistantId({ agent, metadata }: Pick<Run, 'agent' | 'metadata'>): string {
  return noteSchema.safeParse(metadata).data?.langGraph.assistantId ?? agent;
}

/** Returns the stream modes that the run was started with. Undefined if its start named none. */
export function getStreamModes({ metadata }: Pick<Run, 'metadata'>): readonly string[] | undefined {
  return noteSchema.safeParse(metadata).data?.langGraph.streamModes;
}
