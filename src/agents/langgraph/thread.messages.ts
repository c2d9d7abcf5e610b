import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';

/** The id of the person's message in a run: known before it is stored, so that it can be looked for. */
export function humanMessageId(messageId: string): string {
  return `${messageId}-user`;
}

/**
 * What a new message adds to a thread. A run that was cut off in the middle leaves tool calls without an answer, which
 * model providers refuse: each gets one first.
 */
export function messagesToAdd(
  history: readonly BaseMessage[],
  said: { readonly message: string; readonly messageId: string },
): BaseMessage[] {
  const answered = new Set(
    history.filter((message) => ToolMessage.isInstance(message)).map((message) => message.tool_call_id),
  );
  const unanswered = history
    .filter((message) => AIMessage.isInstance(message))
    .flatMap((message) => message.tool_calls ?? [])
    .filter(({ id }) => id !== undefined && !answered.has(id));
  return [
    ...unanswered.map(
      ({ id = '', name }) =>
        new ToolMessage({
          tool_call_id: id,
          name,
          status: 'error',
          content: 'The call was cancelled before it ended.',
        }),
    ),
    new HumanMessage({ id: humanMessageId(said.messageId), content: said.message }),
  ];
}
