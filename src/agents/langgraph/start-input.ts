import { RemoveMessage, type BaseMessage } from '@langchain/core/messages';
import { REMOVE_ALL_MESSAGES, type Command } from '@langchain/langgraph';
import { BaseChannel } from '@langchain/langgraph/channels';
import type { AgentContext, AgentInput, StoppedRun } from '../agent.js';
import { readInputMessages } from './graph-input.js';
import { resumeWith } from './graph-interrupts.js';
import type { CompiledGraph } from './graph-source.js';
import { mendThread } from './thread-messages.js';
import type { ThreadMessages } from './thread-state.js';

/** The value that a graph starts from. Null: nothing but its checkpoint. */
export type Prepared = Record<string, unknown> | Command | null;

/**
 * Returns what the graph starts from: the new message; or nothing but its checkpoint, when an earlier owner has stored that already, or when
 * the run before this one stopped in the middle to wait for answers. Where the thread has to be mended in the middle, all of its messages.
 */
export function prepareInput(
  graph: CompiledGraph,
  thread: ThreadMessages,
  { message, stopped, given = {} }: AgentInput & { readonly stopped: StoppedRun | undefined },
  { runId, messageId, decisions }: AgentContext,
): Prepared {
  if (decisions.size > 0) return resumeWith(decisions, thread, runId);
  if (thread.runId === runId) return null;
  if (given.isWithoutMessage) return { ...given.input };
  const { before, content } = readInputMessages(given);
  const { messages, added, isAddedAtEnd } = mendThread(thread, {
    message,
    messageId,
    stopped,
    content,
    files: given.files,
  });
  const known = new Set([...thread.seen, ...messages].map(({ id }) => id));
  const earlier = before.filter(({ id }) => id === undefined || !known.has(id));
  const put = (all: readonly BaseMessage[]) => ({
    ...given.input,
    // What the client says came before its question.
    messages: [...all.slice(0, -1), ...earlier, ...all.slice(-1)],
  });
  if (isAddedAtEnd) return put(added);
  const all = [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), ...messages];
  const { messages: channel } = graph.channels as { readonly messages?: unknown };
  return put(canReplaceMessages(channel, thread.stored, all) ? all : added);
}

/** True if the channel has a reducer that takes {@link RemoveMessage}, found out by having it put `update` to what is stored. */
function canReplaceMessages(
  channel: unknown,
  stored: readonly BaseMessage[],
  update: readonly BaseMessage[],
): boolean {
  if (!(channel instanceof BaseChannel)) return false;
  try {
    const trial = channel.fromCheckpoint([...stored]) as BaseChannel<BaseMessage[], unknown>;
    trial.update([[...update]]);
    return trial.get().length === update.length - 1;
  } catch {
    return false;
  }
}
