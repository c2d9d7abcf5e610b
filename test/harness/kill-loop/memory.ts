import type { BaseMessage } from '@langchain/core/messages';
import { humanMessageId } from '../../../src/agents/langgraph/thread-messages.js';
import type { Run } from '../../../src/runs/run.js';
import type { Storage } from '../../../src/storage/storage.js';
import { PAID } from './graphs.js';
import type { WatchedRun } from './person.js';

/** An agent's own memory of an answer: the texts of its messages, in their order. */
export interface Memory {
  readonly messages: readonly string[];
  /** The state that it shows. */
  readonly notes: readonly string[] | undefined;
  /** The images in its messages. */
  readonly images: number;
  /** True if it keeps only its newest answer. */
  readonly forgets: boolean;
}

/** Reads what the agent remembers of its answer to the run's question, from the last checkpoint of the thread. */
export async function readMemory(
  storage: Storage,
  { threadKey, messageId }: Run,
  agent: WatchedRun['agent'],
): Promise<Memory> {
  const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadKey } });
  const {
    messages = [],
    notes,
    __previous__: previous,
  } = (tuple?.checkpoint.channel_values ?? {}) as {
    readonly messages?: readonly BaseMessage[];
    readonly notes?: readonly string[];
    readonly __previous__?: { readonly messages: readonly BaseMessage[] };
  };
  const all = agent === 'functional' ? (previous?.messages ?? []) : messages;
  const forgets = agent === 'trimming';
  const asked = all.findLastIndex(({ id, type }) =>
    forgets ? type === 'human' : id === humanMessageId(messageId),
  );
  const later = asked === -1 ? [] : all.slice(asked + 1);
  const next = later.findIndex(({ type }) => type === 'human');
  const answer = next === -1 ? later : later.slice(0, next);
  const texts = answer.flatMap(({ type, text }) => (type === 'ai' && text !== '' ? [text] : []));
  const images = answer.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  return {
    messages: forgets ? [PAID, ...texts] : texts,
    notes,
    images: images.filter(({ type }) => type === 'image').length,
    forgets,
  };
}
