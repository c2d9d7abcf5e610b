import { z } from 'zod';
import type { ApprovalAnswer } from '../../events/approval.js';
import type { Answers } from '../thread.approvals.js';
import { questionOf, type Turn } from './openai.question.js';

const contentSchema = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.enum(['text', 'input_text', 'output_text']), text: z.string() })),
]);

const turnSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: contentSchema.nullish().meta({ description: 'Text only.' }),
});

/** What a person says to a `mcp_approval_request` of the response before. */
const approvalResponseSchema = z.looseObject({
  type: z.literal('mcp_approval_response'),
  approval_request_id: z.string().max(128),
  approve: z.boolean(),
  reason: z.string().max(1000).nullish(),
});

/** OpenAI's own limits. */
const metadataSchema = z
  .record(z.string().max(64), z.string().max(512))
  .refine((metadata) => Object.keys(metadata).length <= 16, 'Use at most 16 keys')
  .nullish();

const modelSchema = z.string().min(1).max(64).meta({ description: "An agent's name." });

/** Ignored in silence, a tool of the client would be missed in every answer. */
const toolsSchema = z
  .array(z.unknown())
  .max(0, 'The agents of this server have their own tools; leave this out')
  .nullish();

/** `POST chat/completions`: what counts of it. The rest is for models, and agents have their own settings. */
export const chatCompletionSchema = z
  .looseObject({
    model: modelSchema,
    messages: z.array(turnSchema).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    metadata: metadataSchema,
    tools: toolsSchema,
  })
  .transform(({ model, messages, stream, stream_options, metadata }, context) => {
    const question = questionOf(messages.map(toTurn));
    if (!question) return refuse(context, "Let the last message be the user's", 'messages');
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
    input: z.union([z.string(), z.array(z.union([approvalResponseSchema, turnSchema])).min(1)]),
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
      stream: stream ?? false,
      background: background ?? false,
      previousResponseId: previous_response_id ?? undefined,
      threadId: typeof conversation === 'string' ? conversation : conversation?.id,
    };
    const items: readonly Item[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    const turns = items.filter(isTurn).map(toTurn);
    if (turns.length < items.length) {
      if (turns.length > 0)
        return refuse(context, 'Answer approvals, or say something; not both at once', 'input');
      if (previous_response_id || conversation) return { ...asked, answers: answersIn(items) };
      return refuse(context, 'Name the response that asked for the approvals', 'previous_response_id');
    }
    // What went before is in the thread already.
    const unknown = previous_response_id || conversation ? turns.slice(-1) : turns;
    const question = questionOf([
      ...(instructions ? [{ role: 'system', text: instructions }] : []),
      ...unknown,
    ]);
    if (!question) return refuse(context, "Let the last item be the user's message", 'input');
    return { ...asked, question };
  });
export type AskedResponse = z.output<typeof responseSchema>;

/** `GET responses/:responseId`: of a stream, the events after a number. */
export const retrieveQuerySchema = z.looseObject({
  stream: z.enum(['true', 'false']).optional(),
  starting_after: z.coerce.number().int().nonnegative().optional(),
});

type ApprovalResponse = z.output<typeof approvalResponseSchema>;
type TurnItem = z.output<typeof turnSchema>;
type Item = TurnItem | ApprovalResponse;

function isTurn(item: Item): item is TurnItem {
  return !isApprovalResponse(item);
}

function isApprovalResponse(item: Item): item is ApprovalResponse {
  return 'type' in item && item.type === 'mcp_approval_response';
}

function answersIn(items: readonly Item[]): Answers {
  const answers = items.filter(isApprovalResponse).map((item): [string, ApprovalAnswer] => {
    const { approval_request_id, approve, reason } = item;
    return [
      approval_request_id,
      approve ? { decision: 'approve' } : { decision: 'deny', ...(reason && { reason }) },
    ];
  });
  return Object.fromEntries(answers);
}

function toTurn({ role, content }: z.output<typeof turnSchema>): Turn {
  const text = typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('\n');
  return { role, text };
}

function refuse(context: z.core.$RefinementCtx, message: string, field: string): never {
  context.addIssue({ code: 'custom', message, path: [field] });
  return z.NEVER;
}
