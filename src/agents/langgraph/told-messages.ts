import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import type { AgentContext } from '../agent.js';
import type { MessageNames } from './message-names.js';

/** Returns the id of the step in which a run changes the state from outside. */
export function toChangeStep(runId: string): string {
  return `${runId}-update`;
}

/** Emits what a change of a state has made of its messages: those that were added, replaced and removed. */
export function emitMessageChanges(
  { before, after }: { readonly before: readonly BaseMessage[]; readonly after: readonly BaseMessage[] },
  { names, context }: { readonly names: MessageNames; readonly context: AgentContext },
): void {
  const earlier = new Map(before.map((message) => [message.id, message]));
  const kept = new Set(after.map(({ id }) => id));
  for (const { id } of before)
    if (id !== undefined && !kept.has(id))
      void context.emit({ type: 'message-put', messageId: names.toShownId(id) });
  for (const [index, message] of after.entries()) {
    const { id = '', text } = message;
    const old = earlier.get(id);
    if (!old) emitNew(message, index, context);
    else if (old.text !== text)
      void context.emit({ type: 'message-put', messageId: names.toShownId(id), text });
  }
}

function emitNew(message: BaseMessage, index: number, { emit, messageId, runId }: AgentContext): void {
  const { id = '', text } = message;
  const stepId = toChangeStep(runId);
  if (HumanMessage.isInstance(message)) void emit({ type: 'message-put', messageId: id, role: 'user', text });
  if (AIMessage.isInstance(message) && text !== '') {
    const partId = `p${index}`;
    void emit({ type: 'text-start', partId, messageId, stepId });
    void emit({ type: 'text-delta', partId, delta: text });
    void emit({ type: 'text-end', partId });
  }
  if (ToolMessage.isInstance(message)) {
    const { tool_call_id: toolCallId, name: toolName = 'tool', status } = message;
    const outcome = status === 'error' ? 'error' : 'ok';
    void emit({ type: 'tool-start', toolCallId, toolName, stepId, messageId, label: toolName });
    void emit({ type: 'tool-end', toolCallId, outcome, output: text, durationMs: 0 });
  }
}
