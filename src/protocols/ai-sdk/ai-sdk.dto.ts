import { z } from 'zod';
import { joinPieces, type Piece } from '../../events/message-order.js';
import type { ApprovalDecision, InputAnswer } from '../../events/requested-input.js';
import { clientToolFields, inputSchemaField, MAX_CLIENT_TOOLS } from '../../streams/start-run.schemas.js';
import type { ClientTool } from '../../events/client-tool.js';
import type { Run } from '../../runs/run.js';
import type { GivenFile } from '../../streams/given-files.js';
import type { Decisions } from '../thread-inputs.js';

/** Of a UIMessage, what starts a run. Clients send more, and each version of them other things: all of it passes unread. */
const messageSchema = z.looseObject({
  id: z.string().optional(),
  role: z.enum(['system', 'user', 'assistant']),
  parts: z.array(
    z.looseObject({
      type: z.string(),
      text: z.string().optional(),
      url: z.string().optional(),
      mediaType: z.string().max(255).optional(),
      filename: z.string().max(255).optional(),
    }),
  ),
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

/** The part of a call that the client has made: of a tool of its own. */
const madePartSchema = z.looseObject({
  toolCallId: z.string().max(256),
  state: z.enum(['output-available', 'output-error']),
  output: z.unknown(),
  errorText: z.string().max(1000).optional(),
});

const { description } = clientToolFields;

/** Tools that the front end runs, by name, as its libraries write them. */
const toolsSchema = z
  .record(
    clientToolFields.name,
    z.looseObject({
      description: description.nullish(),
      parameters: inputSchemaField.optional(),
      inputSchema: inputSchemaField.optional(),
    }),
  )
  .refine((tools) => Object.keys(tools).length <= MAX_CLIENT_TOOLS, `Use at most ${MAX_CLIENT_TOOLS} tools`)
  .meta({
    description: 'Tools that the front end runs, by name: description and JSON Schema of the arguments.',
  });

/**
 * Body that `DefaultChatTransport` posts: the whole history, or with `prepareSendMessagesRequest` only the last message. The thread
 * has its history here, so only the last message counts, or the one of the assistant's that is named: when it has answers to
 * approvals, these are what is sent.
 */
export const askSchema = z
  .looseObject({
    id: z.string().meta({ description: "The chat's id, minted by the client: the thread." }),
    messages: z.array(messageSchema).optional(),
    message: messageSchema.optional().meta({ description: 'In place of `messages`: the last one.' }),
    messageId: z.string().nullish().meta({
      description: 'The message whose inputs are answered, that is edited, or whose answer is made again.',
    }),
    trigger: z.string().nullish().meta({
      description: 'With `regenerate-message`, the answer is made again: of `messageId`, or the last one.',
    }),
    agent: z.string().min(1).max(64).optional().meta({ description: 'Absent: the default agent.' }),
    tools: toolsSchema.nullish(),
  })
  .transform(({ id: threadId, messages = [], message, messageId, trigger, agent, tools }, context) => {
    const last = message ?? messages.at(-1);
    const named = messages.find(({ id }) => id !== undefined && id === messageId);
    const answering = named?.role === 'assistant' ? named : last;
    const { data, error } = z.array(decidedPartSchema).safeParse(findDecided(answering));
    const made = findMade(answering);
    if (data && data.length + made.length > 0)
      return { threadId, answers: { ...toResults(made), ...toDecisions(data) } };
    if (error) {
      const at = message ? 'message' : 'messages';
      context.addIssue({ code: 'custom', message: 'An answer to an approval does not fit', path: [at] });
      return z.NEVER;
    }
    if (last?.role === 'user' && last.parts.every(isSaid)) {
      const { text: message, files } = readContent(last);
      return {
        threadId,
        message,
        files,
        metadata: toNote(last.id),
        renewed: { messageId, isRegenerated: trigger === 'regenerate-message' },
        clientTools: toClientTools(tools ?? {}),
        ...(agent !== undefined && { agent }),
      };
    }
    const fault =
      last?.role === 'user'
        ? 'Send text and files only'
        : 'The last message must be from the user, or have answers to inputs';
    context.addIssue({ code: 'custom', message: fault, path: [message ? 'message' : 'messages'] });
    return z.NEVER;
  });

/** The same, for the API's description: what a transform makes cannot be described. */
export const askBodySchema = askSchema.in;

/** The parts that a person has decided on. Earlier approvals have another state: their calls were made, or will not be. */
function findDecided(message: Message | undefined): unknown[] {
  if (message?.role !== 'assistant') return [];
  return message.parts.filter(({ state }) => state === 'approval-responded');
}

/** The calls of the last step that the client has made. Those that are made here are marked as such. */
function findMade(message: Message | undefined): readonly z.output<typeof madePartSchema>[] {
  if (message?.role !== 'assistant') return [];
  const { parts } = message;
  return parts.slice(parts.findLastIndex(({ type }) => type === 'step-start') + 1).flatMap((part) => {
    const { data } = madePartSchema.safeParse(part);
    return data && part['providerExecuted'] !== true && part['approval'] === undefined ? [data] : [];
  });
}

function toResults(parts: readonly z.output<typeof madePartSchema>[]): Decisions {
  return Object.fromEntries(
    parts.map(({ toolCallId, state, output, errorText }): [string, InputAnswer] => [
      toolCallId,
      state === 'output-error'
        ? { decision: 'deny', ...(errorText && { reason: errorText }) }
        : { decision: 'answer', value: output ?? null },
    ]),
  );
}

function toClientTools(tools: z.output<typeof toolsSchema>): readonly ClientTool[] {
  return Object.entries(tools).map(
    ([name, { description: words, parameters, inputSchema = parameters }]) => ({
      name,
      description: words ?? '',
      ...(inputSchema && { inputSchema }),
    }),
  );
}

function toDecisions(parts: readonly z.output<typeof decidedPartSchema>[]): Decisions {
  return Object.fromEntries(
    parts.map(({ approval: { id, approved, reason } }): [string, ApprovalDecision] => [
      id,
      approved ? { decision: 'approve' } : { decision: 'deny', ...(reason && { reason }) },
    ]),
  );
}

function isSaid({ type }: Message['parts'][number]): boolean {
  return type === 'text' || type === 'file';
}

function readContent({ parts }: Message) {
  const pieces = parts.map(({ type, text = '', url, mediaType, filename: name }): Piece<GivenFile> =>
    type === 'text' ? { text } : { file: { url, mediaType, name } },
  );
  return joinPieces(pieces, '\n');
}

/** The client's own id of a question, stored so that an edit finds it. */
const noteSchema = z.object({ aiSdk: z.object({ messageId: z.string() }) });

function toNote(messageId: string | undefined): Partial<z.output<typeof noteSchema>> {
  return messageId === undefined ? {} : { aiSdk: { messageId } };
}

/** True if the client calls the run's question, or its answer, by this id. */
export function isNamed({ messageId, metadata }: Run, id: string): boolean {
  const questionId = noteSchema.safeParse(metadata).data?.aiSdk.messageId;
  return [messageId, `${messageId}-user`, questionId].includes(id);
}
