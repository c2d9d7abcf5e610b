import { z } from 'zod';
import { joinPieces, type Piece } from '../../events/message-order.js';
import type { GivenFile } from '../../streams/given-files.js';
import type { InputAnswer, RequestedInput } from '../../events/requested-input.js';
import { clientToolFields, inputSchemaField, MAX_CLIENT_TOOLS } from '../../streams/start-run.schemas.js';
import type { ClientTool } from '../../events/client-tool.js';
import type { Decisions } from '../thread-inputs.js';
import { filePartSchemas, textPartSchema, toGivenFile } from './openai-parts.js';
import { findQuestion, type Turn } from './openai-question.js';

const contentSchema = z.union([z.string(), z.array(textPartSchema)]);

const turnSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z
    .union([z.string(), z.array(z.union([textPartSchema, ...filePartSchemas]))])
    .nullish()
    .meta({ description: 'Text, and files in messages of the user.' }),
});

/** A person's answer to an `mcp_approval_request` of the response before. */
const approvalResponseSchema = z.looseObject({
  type: z.literal('mcp_approval_response'),
  approval_request_id: z.string().max(128),
  approve: z.boolean(),
  reason: z.string().max(1000).nullish(),
});

/** The output of a `function_call` of the response before: a tool of the client's, or a question. */
const functionOutputSchema = z.looseObject({
  type: z.literal('function_call_output'),
  call_id: z.string().max(128),
  output: z.union([z.string(), contentSchema]),
});

/** OpenAI's own limits. */
const metadataSchema = z
  .record(z.string().max(64), z.string().max(512))
  .refine((metadata) => Object.keys(metadata).length <= 16, 'Use at most 16 keys')
  .nullish();

const modelSchema = z.string().min(1).max(64).meta({ description: "An agent's name." });

/** A conversation that is only in the client's hands cannot stop and go on. Ignored in silence, a tool of the client would be missed in every answer. */
const noToolsSchema = z
  .array(z.unknown())
  .max(0, 'Chat Completions take no tools of the client here; use Responses, or leave this out')
  .nullish();

/** Functions that the client runs. */
const toolsSchema = z
  .array(
    z.looseObject({
      type: z.literal('function', 'Only functions of the client; the tools of the server are its own'),
      ...clientToolFields,
      description: z
        .string()
        .max(10_000)
        .nullish()
        .transform((text) => text ?? ''),
      parameters: inputSchemaField.nullish(),
    }),
  )
  .max(MAX_CLIENT_TOOLS)
  .nullish();

/** `POST chat/completions`: what counts of it. The rest is for models, and agents have their own settings. */
export const chatCompletionSchema = z
  .looseObject({
    model: modelSchema,
    messages: z.array(turnSchema).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    metadata: metadataSchema,
    tools: noToolsSchema,
  })
  .transform(({ model, messages, stream, stream_options, metadata }, context) => {
    const question = findQuestion(messages.map(toTurn));
    if (!question) return refuse(context, 'The last message must be from the user', 'messages');
    return {
      start: { ...question, agent: model, ...(metadata && { metadata }) },
      stream: stream ?? false,
      includeUsage: stream_options?.include_usage ?? false,
    };
  });

/** `POST responses`, likewise. */
export const responseSchema = z
  .looseObject({
    model: modelSchema,
    input: z.union([
      z.string(),
      z.array(z.union([approvalResponseSchema, functionOutputSchema, turnSchema])).min(1),
    ]),
    instructions: z.string().nullish(),
    stream: z.boolean().nullish(),
    background: z.boolean().nullish(),
    previous_response_id: z.string().nullish(),
    conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
    metadata: metadataSchema,
    tools: toolsSchema,
  })
  .transform((body, context) => {
    const { model, input, instructions, stream, background, previous_response_id, conversation } = body;
    if (previous_response_id && conversation)
      return refuse(context, 'Send this or conversation, not both', 'previous_response_id');
    const asked = {
      agent: model,
      metadata: body.metadata ?? {},
      clientTools: (body.tools ?? []).map(toClientTool),
      stream: stream ?? false,
      background: background ?? false,
      previousResponseId: previous_response_id ?? undefined,
      threadId: typeof conversation === 'string' ? conversation : conversation?.id,
    };
    const items: readonly Item[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    const turns = items.filter(isTurn).map(toTurn);
    if (turns.length < items.length) {
      if (turns.length > 0) return refuse(context, 'Send answers or a message, not both at once', 'input');
      if (previous_response_id || conversation) return { ...asked, answers: readDecisions(items) };
      return refuse(context, 'Send the id of the response that asked', 'previous_response_id');
    }
    // What went before is in the thread already.
    const unknown = previous_response_id || conversation ? turns.slice(-1) : turns;
    const question = findQuestion([
      ...(instructions ? [{ role: 'system', text: instructions }] : []),
      ...unknown,
    ]);
    if (!question) return refuse(context, 'The last item must be a message from the user', 'input');
    return { ...asked, question };
  });
export type ResponseRequest = z.output<typeof responseSchema>;

/** `GET responses/:responseId`: of a stream, the events after a number. */
export const retrieveQuerySchema = z.looseObject({
  stream: z.enum(['true', 'false']).optional(),
  starting_after: z.coerce.number().int().nonnegative().optional(),
});

function toClientTool({
  name,
  description,
  parameters,
}: NonNullable<z.output<typeof toolsSchema>>[number]): ClientTool {
  return { name, description, ...(parameters && { inputSchema: parameters }) };
}

type ApprovalResponse = z.output<typeof approvalResponseSchema>;
type FunctionOutput = z.output<typeof functionOutputSchema>;
type TurnItem = z.output<typeof turnSchema>;
type Item = TurnItem | ApprovalResponse | FunctionOutput;

function isTurn(item: Item): item is TurnItem {
  return 'role' in item;
}

function readDecisions(items: readonly Item[]): Decisions {
  return Object.fromEntries(
    items.flatMap((item): [string, Decisions[string]][] => {
      if (isTurn(item)) return [];
      if (item.type === 'function_call_output')
        return [[item.call_id, (asked) => outputAnswer(asked, textIn(item.output))]];
      const { approval_request_id, approve, reason } = item;
      return [
        [
          approval_request_id,
          approve ? { decision: 'approve' } : { decision: 'deny', ...(reason && { reason }) },
        ],
      ];
    }),
  );
}

/** An output is always text. A question is answered by the JSON in it, where it is JSON; the result of a tool is for a model to read. */
export function outputAnswer({ kind }: RequestedInput, output: string): InputAnswer {
  if (kind === 'client-tool') return { decision: 'answer', value: output };
  try {
    return { decision: 'answer', value: JSON.parse(output) as unknown };
  } catch {
    return { decision: 'answer', value: output };
  }
}

function textIn(content: z.output<typeof contentSchema>): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}

function toTurn({ role, content }: TurnItem): Turn {
  if (typeof content === 'string' || !content) return { role, text: content ?? '' };
  const pieces = content.flatMap((part): Piece<GivenFile>[] =>
    'text' in part ? [{ text: String(part.text) }] : toGivenFile(part).map((file) => ({ file })),
  );
  return { role, ...joinPieces(pieces, '\n') };
}

function refuse(context: z.core.$RefinementCtx, message: string, field: string): never {
  context.addIssue({ code: 'custom', message, path: [field] });
  return z.NEVER;
}
