import { setTimeout } from 'node:timers/promises';

/** Cuts text into words, each with the space around it. Joined, they are the text again. */
export function splitWords(text: string): string[] {
  return text.match(/\s*\S+\s?|\s+$/gu) ?? [];
}

/**
 * Waits one beat; at once for a pace of 0.
 *
 * @throws the signal's reason, as soon as it is aborted
 */
export async function pause(paceMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (paceMs <= 0) return;
  try {
    await setTimeout(paceMs, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
