import type { FilePut, SourceCited, ToolEnd } from '../../events/run-event.js';
import {
  belongsTo,
  makes,
  toContent,
  toPart,
  toResultId,
  withText,
  type AssistantEntry,
  type TranscriptEntry,
} from './transcript-entries.js';

/** Changes of a list of entries, in place. An entry itself never changes: forks of a transcript share it. */

/** Adds text to the end of a message. */
export function appendText(entries: TranscriptEntry[], id: string, delta: string): void {
  const index = entries.findLastIndex((entry) => entry.id === id);
  const entry = entries[index];
  if (entry?.kind === 'assistant' || entry?.kind === 'reasoning')
    entries[index] = { ...entry, text: (entry.text ?? '') + delta };
}

/** Adds a file or a source to the text right before it in its step, or else as a message of its own. */
export function addPart(entries: TranscriptEntry[], runId: string, event: FilePut | SourceCited): void {
  const { stepId, subagent } = event;
  const part = toPart(runId, event);
  const last = entries.at(-1);
  if (last && belongsTo(part, { runId, stepId }, last)) {
    entries[entries.length - 1] = { ...last, parts: [...(last.parts ?? []), part] };
    return;
  }
  const by = subagent && { subagent };
  entries.push({ kind: 'assistant', id: part.id, runId, stepId, calls: [], parts: [part], ...by });
}

/**
 * Gives a message other words, or removes it.
 *
 * @param text undefined: removes the message
 * @returns false if there is no such message
 */
export function changeMessage(entries: TranscriptEntry[], id: string, text: string | undefined): boolean {
  const index = entries.findIndex((entry) => entry.id === id);
  const entry = entries[index];
  if (!entry) return false;
  if (text === undefined) entries.splice(index, 1);
  else entries[index] = withText(entry, text);
  return true;
}

/** Gives a call, which was made, other arguments. */
export function changeCall(entries: TranscriptEntry[], toolCallId: string, input: unknown): void {
  const index = entries.findLastIndex((entry) => makes(entry, toolCallId));
  const caller = entries[index] as AssistantEntry;
  const calls = caller.calls.map((call) => (call.toolCallId === toolCallId ? { ...call, input } : call));
  entries[index] = { ...caller, calls };
}

/**
 * Puts a result behind the message that made the call, and behind the results that stand there already.
 *
 * @param origin with the step that makes the call, where it is not the step that announced it
 * @returns the message that made the call; undefined if there is none, and so no result
 */
export function insertResult(
  entries: TranscriptEntry[],
  event: ToolEnd,
  { runId, madeIn }: { readonly runId: string; readonly madeIn: string | undefined },
): AssistantEntry | undefined {
  const { toolCallId, outcome } = event;
  const position = entries.findLastIndex((entry) => makes(entry, toolCallId));
  const caller = entries[position] as AssistantEntry | undefined;
  const call = caller?.calls.find((made) => made.toolCallId === toolCallId);
  if (!call) return undefined;
  let index = position + 1;
  while (entries[index]?.kind === 'result') index++;
  entries.splice(index, 0, {
    kind: 'result',
    id: toResultId(runId, toolCallId),
    runId,
    stepId: madeIn ?? call.stepId,
    toolCallId,
    toolName: call.toolName,
    outcome,
    content: toContent(event),
  });
  return caller;
}
