import {
  AIMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type BaseMessage,
  type MessageContent,
} from '@langchain/core/messages';
import { leaveOutFiltered } from './filtered-turns.js';
import { isBlankText } from './message-content.js';
import { NO_ANSWER, repairHistory } from './repair-history.js';
import { rewriteAnswer } from './rewrite-answer.js';

const GO_ON = '(Go on.)';

/**
 * Returns the conversation in the form that the strictest provider takes. Pure, and the same array when there is nothing to change. Beside what
 * {@link repairHistory} mends and {@link leaveOutFiltered} leaves out, it begins with a person, ends with a person or a result, and its roles alternate.
 */
export function strictHistory(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const repaired = leaveOutFiltered(repairHistory(messages));
  return alternates(repaired) ? repaired : alternate(repaired);
}

/** Role of a message's author. Results belong to the assistant's turn that they follow, and to the person's side of what comes next. */
type Role = 'system' | 'user' | 'assistant' | 'tool';

function getRole(message: BaseMessage): Role {
  if (SystemMessage.isInstance(message)) return 'system';
  if (AIMessage.isInstance(message)) return 'assistant';
  return ToolMessage.isInstance(message) ? 'tool' : 'user';
}

/** True if one of the two may follow the other. */
function mayFollow(before: Role | undefined, role: Role): boolean {
  if (role === 'system') return true;
  if (before === undefined || before === 'system') return role === 'user';
  if (role === 'user') return before === 'assistant';
  return role === 'tool' || before !== 'assistant';
}

function alternates(messages: readonly BaseMessage[]): boolean {
  let before: Role | undefined;
  for (const message of messages) {
    const role = getRole(message);
    if (!mayFollow(before, role)) return false;
    before = role;
  }
  return before !== 'assistant';
}

function alternate(messages: readonly BaseMessage[]): BaseMessage[] {
  const result: BaseMessage[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    const before = last && getRole(last);
    const role = getRole(message);
    if (mayFollow(before, role)) result.push(message);
    else if (last && before === role) result.splice(-1, 1, joined(last, message));
    else result.push(role === 'user' ? new AIMessage(NO_ANSWER) : new HumanMessage(GO_ON), message);
  }
  const last = result.at(-1);
  return last && getRole(last) === 'assistant' ? [...result, new HumanMessage(GO_ON)] : result;
}

/** Two messages of one role as one. Of an assistant's, only the second may call tools: what calls is followed by results. */
function joined(first: BaseMessage, second: BaseMessage): BaseMessage {
  const content = joinedContent(first.content, second.content);
  if (!AIMessage.isInstance(second)) return new HumanMessage({ content });
  const calls = second.tool_calls ?? [];
  return rewriteAnswer(second, calls, content, second.id);
}

function joinedContent(first: MessageContent, second: MessageContent): MessageContent {
  if (typeof first === 'string' && typeof second === 'string') {
    return [first, second].filter((text) => text !== '').join('\n\n');
  }
  const blocks = [first, second].map((content) =>
    typeof content === 'string' ? [textBlock(content)] : content,
  );
  return blocks.flat().filter((block) => !(block.type === 'text' && isBlankText(block.text)));
}

function textBlock(text: string) {
  return { type: 'text' as const, text };
}
