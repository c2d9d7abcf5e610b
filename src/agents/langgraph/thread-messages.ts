import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import type { AgentContext, StoppedRun, UnheardQuestion } from '../agent.js';
import type { PlacedFile } from '../../events/message-part.js';
import { withFiles } from './file-blocks.js';
import { FILTERED, leaveOutFiltered, leaveOutNewest } from './filtered-turns.js';
import { readInputMessages } from './graph-input.js';
import { NO_ANSWER, repairHistory } from './repair-history.js';

/** The id of the person's message in a run: known before it is stored, so that it can be looked for. */
export function humanMessageId(messageId: string): string {
  return `${messageId}-user`;
}

/** Follows the words of an answer that was not finished. */
export const STOPPED = '(The answer was stopped here.)';

/** True if a run left its question without an answer. */
function isLeftOpen({ seen }: { readonly seen: readonly BaseMessage[] }): boolean {
  const last = seen.at(-1);
  return (
    HumanMessage.isInstance(last) ||
    ToolMessage.isInstance(last) ||
    (AIMessage.isInstance(last) && Boolean(last.tool_calls?.length))
  );
}

/** True if runs before a run may have been stopped of which its thread does not have everything. */
export function mayLackRuns(
  thread: { readonly seen: readonly BaseMessage[]; readonly runId?: string | undefined },
  { runId, parentId }: Pick<AgentContext, 'runId' | 'parentId'>,
): boolean {
  if (thread.runId === runId) return false;
  return isLeftOpen(thread) || thread.runId !== (parentId ?? undefined);
}

/** A thread's messages as a new turn needs them. */
export interface MendedThread {
  /** The whole conversation, mended, with the new message at its end. */
  readonly messages: readonly BaseMessage[];
  /** The messages in it that are not stored. */
  readonly added: readonly BaseMessage[];
  /** True if all that is new comes after all that is stored, which stays as it is. */
  readonly isAddedAtEnd: boolean;
}

/**
 * Returns the thread with a new message, and with everything mended that a model provider would refuse. A run that was cut off in the
 * middle leaves calls without a result and a person without an answer: each gets one, where it belongs. What a filter of the provider refused is left
 * out.
 *
 * @param stored the messages of the thread's checkpoint
 * @param input the new message, and the runs before it, if they were stopped or failed
 * @param seen the same, with what those tasks have written that were done when their siblings were cut off: LangGraph drops
 *   that when new input comes, so their results are given again
 */
export function mendThread(
  { stored, seen }: { readonly stored: readonly BaseMessage[]; readonly seen: readonly BaseMessage[] },
  input: {
    readonly message: string;
    readonly messageId: string;
    readonly stopped?: StoppedRun | undefined;
    /** The message with its parts, where it has more than text. */
    readonly content?: HumanMessage['content'] | undefined;
    readonly files?: readonly PlacedFile[] | undefined;
  },
): MendedThread {
  const known = new Set<BaseMessage>(stored);
  const knownIds = new Set(stored.map(({ id }) => id));
  const late = seen.filter(
    (message) =>
      ToolMessage.isInstance(message) &&
      !known.has(message) &&
      (message.id === undefined || !knownIds.has(message.id)),
  );
  const question = new HumanMessage({
    id: humanMessageId(input.messageId),
    content: withFiles(input.content ?? input.message.toWellFormed(), input.files),
  });
  const repaired = leaveOutFiltered(repairHistory(late.length > 0 ? [...stored, ...late] : stored));
  const { texts = [], unheard = [], isFiltered = false } = input.stopped ?? {};
  const unanswered = unheard.map(createUnheard).filter(({ id }) => !knownIds.has(id));
  const accepted = isFiltered ? leaveOutNewest(repaired) : repaired;
  const stoppedText = isFiltered ? FILTERED : findStoppedText(stored, texts);
  const messages = withStoppedTexts([...accepted, ...unanswered, question], {
    text: stoppedText,
    index: accepted.length,
  });
  let mended = 0;
  for (const message of messages) {
    if (message.id === undefined && !known.has(message)) {
      message._updateId(`${input.messageId}-mended-${++mended}`);
    }
  }
  return {
    messages,
    added: messages.filter((message) => !known.has(message) && !knownIds.has(message.id)),
    isAddedAtEnd: stored.every((message, index) => message === messages[index]),
  };
}

function createUnheard({ messageId, message, given = {} }: UnheardQuestion): HumanMessage {
  const { content = message.toWellFormed() } = readInputMessages(given);
  return new HumanMessage({ id: humanMessageId(messageId), content: withFiles(content, given.files) });
}

/** Returns text that people have seen and the thread lacks, as one answer. */
function findStoppedText(stored: readonly BaseMessage[], parts: readonly string[]): string | undefined {
  const unknown = parts.filter((part) => !stored.some((message) => message.text.includes(part.trim())));
  return unknown.length > 0 ? `${unknown.join('\n\n').toWellFormed()}\n\n${STOPPED}` : undefined;
}

/** Puts an answer before each question of a person that follows no answer: roles have to alternate. The stopped one is before the first new question. */
function withStoppedTexts(
  messages: readonly BaseMessage[],
  stopped: { readonly text: string | undefined; readonly index: number },
): BaseMessage[] {
  return messages.flatMap((message, index) => {
    const before = messages[index - 1];
    const isUnanswered = HumanMessage.isInstance(before) || ToolMessage.isInstance(before);
    if (!isQuestion(message) || !isUnanswered) return [message];
    return [new AIMessage((index === stopped.index && stopped.text) || NO_ANSWER), message];
  });
}

/** True for what a person said in a run, and not for what a graph of a team wrote in a person's name. */
function isQuestion(message: BaseMessage): boolean {
  return HumanMessage.isInstance(message) && message.id !== undefined && message.id.endsWith('-user');
}
