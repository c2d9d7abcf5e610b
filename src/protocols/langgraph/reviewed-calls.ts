import type { RequestedInput } from '../../events/requested-input.js';
import type { LangGraphMessage } from './langgraph-events.js';
import { isReview } from './review-spellings.js';

type AiMessage = Extract<LangGraphMessage, { readonly type: 'ai' }>;
type Call = NonNullable<AiMessage['tool_calls']>[number];

/**
 * Returns the messages with the calls that LangChain's human-in-the-loop middleware asks about. A graph has them in its last message, and pages show the
 * question beside its call. The log has a call once it is made, so until then they are those of the question, under names of their own.
 */
export function withReviewedCalls(
  messages: readonly LangGraphMessage[],
  open: readonly RequestedInput[],
): LangGraphMessage[] {
  const calls = open.flatMap(listCalls);
  const [call] = calls;
  if (!call) return [...messages];
  const last = messages.at(-1);
  if (last?.type !== 'ai') {
    const caller: AiMessage = { type: 'ai', id: `calls-${call.id}`, content: '', tool_calls: calls };
    return [...messages, caller];
  }
  return [...messages.slice(0, -1), { ...last, tool_calls: [...(last.tool_calls ?? []), ...calls] }];
}

function listCalls(request: RequestedInput): Call[] {
  if (request.kind !== 'interrupt' || request.answer || !isReview(request.value)) return [];
  return request.value.actionRequests.map((action, index) => {
    const { name, args } = action as { readonly name?: unknown; readonly args?: unknown };
    return { type: 'tool_call', id: `${request.inputId}-${index}`, name: String(name), args: args ?? {} };
  });
}
