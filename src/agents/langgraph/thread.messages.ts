import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';

/** The id of the person's message in a run: known before it is stored, so that it can be looked for. */
export function humanMessageId(messageId: string): string {
  return `${messageId}-user`;
}

/**
 * What a new message adds to a thread. A run that was cut off in the middle leaves tool calls without an answer, which
 * model providers refuse: each gets one first.
 *
 * @param stored the messages of the thread's checkpoint
 * @param seen the same, with what those tasks have written that were done when their siblings were cut off: LangGraph drops
 *   that when new input comes, so their answers are given again
 */
export function messagesToAdd(
  { stored, seen }: { readonly stored: readonly BaseMessage[]; readonly seen: readonly BaseMessage[] },
  said: { readonly message: string; readonly messageId: string },
): BaseMessage[] {
  const answered = answersIn(stored);
  const done = answersIn(seen);
  const unanswered = stored
    .filter((message) => AIMessage.isInstance(message))
    .flatMap((message) => message.tool_calls ?? [])
    .filter(({ id }) => id !== undefined && !answered.has(id));
  return [
    ...unanswered.map(({ id = '', name }) => done.get(id) ?? cancelled(id, name)),
    new HumanMessage({ id: humanMessageId(said.messageId), content: said.message }),
  ];
}

function answersIn(messages: readonly BaseMessage[]): Map<string, ToolMessage> {
  const answers = messages.filter((message) => ToolMessage.isInstance(message));
  return new Map(answers.map((message) => [message.tool_call_id, message]));
}

function cancelled(id: string, name: string): ToolMessage {
  return new ToolMessage({
    tool_call_id: id,
    name,
    status: 'error',
    content: 'The call was cancelled before it ended.',
  });
}
