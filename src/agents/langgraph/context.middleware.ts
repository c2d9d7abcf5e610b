import { AIMessage, HumanMessage, type BaseMessage } from '@langchain/core/messages';
import { createMiddleware, type AgentMiddleware } from 'langchain';
import { wasFiltered } from './filtered-turns.js';
import { isFilteredByProvider, isTooLongForModel } from './model.errors.js';
import { estimateTokens, trimHistory } from './trim-history.js';

/** Share of a model's context that a conversation may use: instructions, tools and the answer need room too. */
const SHARE = 0.8;

/** The last one is an eighth of what was too long. */
const MOST_TRIES = 4;

/** Beside the words of an answer that was given without the turns before its own, because a filter of the provider refused those. */
const BEGINS_AGAIN = 'begins_anew';

/**
 * Keeps a conversation within what the model takes. The oldest turns are left out of what it gets, and stay in the thread. A provider that refuses the
 * conversation as too long all the same is asked again with half of it, and of that. One whose content filter refuses it is asked once more with the
 * last turn alone: where that is answered, the turns before it are at fault, and are left out from then on.
 *
 * @param maxTokens default: four fifths of what LangChain knows of the model; of a model that it does not know, no limit
 */
export function contextMiddleware(maxTokens?: number): AgentMiddleware {
  return createMiddleware({
    name: 'AgentStreamContext',
    wrapModelCall: async (request, handler) => {
      const { profile } = request.model as { readonly profile?: { readonly maxInputTokens?: number } };
      const known = profile?.maxInputTokens;
      const limit = maxTokens ?? (known === undefined ? Infinity : known * SHARE);
      const ask = (messages: readonly BaseMessage[]) => handler({ ...request, messages: [...messages] });
      let messages = trimHistory(withoutRefusedTurns(request.messages), limit);
      for (let tries = 1; ; tries += 1) {
        const last = lastTurn(messages);
        try {
          const answer = await ask(messages);
          return isRefusal(answer) && last !== messages ? markRestart(await ask(last)) : answer;
        } catch (error) {
          if (isFilteredByProvider(error) && last !== messages) return markRestart(await ask(last));
          const shorter = trimHistory(messages, estimateTokens(messages) / 2);
          if (!isTooLongForModel(error) || shorter === messages || tries === MOST_TRIES) throw error;
          messages = shorter;
        }
      }
    },
  });
}

function withoutRefusedTurns(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const restart = messages.findLastIndex(({ additional_kwargs: beside }) => BEGINS_AGAIN in beside);
  return restart < 0 ? messages : messages.slice(findTurn(messages.slice(0, restart)));
}

/** Returns the last turn; the same array when there is no other. */
function lastTurn(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const first = findTurn(messages);
  return first === 0 ? messages : messages.slice(first);
}

function findTurn(messages: readonly BaseMessage[]): number {
  return Math.max(
    0,
    messages.findLastIndex((message) => HumanMessage.isInstance(message)),
  );
}

/** True for an answer of a filter, which has no words. */
function isRefusal(answer: unknown): boolean {
  if (!AIMessage.isInstance(answer)) return false;
  return wasFiltered(answer) && answer.text.trim() === '' && !answer.tool_calls?.length;
}

function markRestart<Answer>(answer: Answer): Answer {
  if (!AIMessage.isInstance(answer) || wasFiltered(answer)) return answer;
  const additional_kwargs = { ...answer.additional_kwargs, [BEGINS_AGAIN]: true };
  // A message is stored by what it was made of.
  Object.assign(answer, { additional_kwargs });
  Object.assign(answer.lc_kwargs, { additional_kwargs });
  return answer;
}
