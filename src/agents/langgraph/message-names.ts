import { AIMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { AppError } from '../../errors.js';
import type { GivenStateChange, KnownMessage } from '../agent.js';

/** The messages of a state under the ids by which people know them, which are others. */
export interface MessageNames {
  /**
   * Returns the id in the state. An id that people do not know stays.
   *
   * @throws AppError REQUEST_INVALID for a message that the state no longer has, or that cannot be told from others
   */
  toGraphId(shownId: string): string;
  toShownId(graphId: string): string;
}

export function createMessageNames(
  known: GivenStateChange['known'] = {},
  messages: readonly BaseMessage[],
): MessageNames {
  const found = new Map(
    Object.entries(known).map(([shownId, message]) => [shownId, findMessage(message, messages)?.id]),
  );
  const shown = new Map([...found].flatMap(([shownId, id]) => (id === undefined ? [] : [[id, shownId]])));
  return {
    toGraphId: (shownId) => {
      if (!found.has(shownId)) return shownId;
      const id = found.get(shownId);
      if (id !== undefined) return id;
      throw new AppError(
        'REQUEST_INVALID',
        `values.messages: The agent's state no longer has the message '${shownId}', or has others that look the same.`,
      );
    },
    toShownId: (graphId) => shown.get(graphId) ?? graphId,
  };
}

/** Undefined also where others look the same and people do not see as many of them. */
function findMessage(known: KnownMessage, messages: readonly BaseMessage[]): BaseMessage | undefined {
  const found = messages.filter((message) => looksLike(message, known));
  if (known.kind === 'user') return found.at(-1);
  const { alike = found.length, alikeAfter = 0 } = known;
  return alike === found.length ? found.at(-1 - alikeAfter) : undefined;
}

function looksLike(message: BaseMessage, known: KnownMessage): boolean {
  switch (known.kind) {
    case 'user':
      return message.id === known.id;
    case 'result':
      return ToolMessage.isInstance(message) && message.tool_call_id === known.toolCallId;
    case 'assistant':
      return AIMessage.isInstance(message) && isSame(message, known);
    default:
      return known satisfies never;
  }
}

/** By its calls, whose ids stay; or else by its words, which are all that people have of it. */
function isSame(
  { tool_calls: calls = [], text }: AIMessage,
  known: Extract<KnownMessage, { readonly kind: 'assistant' }>,
): boolean {
  if (known.toolCallIds.length > 0) return calls.some(({ id }) => id && known.toolCallIds.includes(id));
  return text.trim() === known.text.trim();
}
