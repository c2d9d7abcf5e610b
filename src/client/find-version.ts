import type { ChatMessage } from './chat.types.js';

/** The place of a message among the versions of its turn. */
export interface Version {
  /** Place among them, from 1. */
  readonly place: number;
  readonly count: number;
  /** The run that took the turn before this one. Absent at the first. To show it: `ChatService.thread(threadId, { runId })`. */
  readonly previous?: string;
  /** The run that took the turn after this one. Absent at the last. */
  readonly next?: string;
}

/** Finds the place of a message among the versions of its turn. Undefined if there is only one. */
export function findVersion({
  runId,
  versions = [],
}: Pick<ChatMessage, 'runId' | 'versions'>): Version | undefined {
  const index = versions.indexOf(runId);
  if (index < 0 || versions.length < 2) return undefined;
  const previous = versions[index - 1];
  const next = versions[index + 1];
  return {
    place: index + 1,
    count: versions.length,
    ...(previous !== undefined && { previous }),
    ...(next !== undefined && { next }),
  };
}
