import { toJson } from '../../events/plain-data.js';
import type { FinishReason, ToolEnd, ToolOutcome, Usage } from '../../events/run-event.js';

/** A conversation as client libraries keep it: one message after the other, a tool's result behind the call. */
export type TranscriptEntry = UserEntry | AssistantEntry | ReasoningEntry | ResultEntry;

export interface UserEntry {
  readonly kind: 'user';
  readonly id: string;
  readonly text: string;
}

/** The run and step that made an output. A run that continues after an approval repeats the steps in which the earlier run stopped. */
export interface Origin {
  readonly runId: string;
  readonly stepId: string;
}

/** The text of one model call, and the tools that it called. */
export interface AssistantEntry extends Origin {
  readonly kind: 'assistant';
  readonly id: string;
  /** Absent when it has only called tools. */
  readonly text?: string;
  readonly calls: readonly ToolCall[];
  /** The reason why it is incomplete. */
  readonly finishReason?: FinishReason;
  /** The tokens of the model call that it comes from. */
  readonly usage?: Usage;
}

export interface ToolCall extends Origin {
  readonly toolCallId: string;
  readonly toolName: string;
  /** As far as the tool exposes it. */
  readonly input: unknown;
}

export interface ReasoningEntry extends Origin {
  readonly kind: 'reasoning';
  readonly id: string;
  readonly text: string;
}

export interface ResultEntry extends Origin {
  readonly kind: 'result';
  readonly id: string;
  readonly toolCallId: string;
  readonly toolName: string;
  readonly outcome: ToolOutcome;
  /** The tool's output, if it is exposed; or the reason why it failed. */
  readonly content: string;
}

/** Messages are named by the run and the part: parts alone are not unique in a thread. */
export function toMessageId(runId: string, partId: string): string {
  return `${runId}-${partId}`;
}

export function toResultId(runId: string, toolCallId: string): string {
  return `${runId}-result-${toolCallId}`;
}

/** Returns a tool's result as text; hidden output is empty. */
export function toContent({ outcome, output, error }: Pick<ToolEnd, 'outcome' | 'output' | 'error'>): string {
  if (outcome !== 'ok') return error?.message ?? `The call ended: ${outcome}.`;
  if (output === undefined) return '';
  return typeof output === 'string' ? output : JSON.stringify(output);
}

/** Returns roughly the bytes of an entry. */
export function weighEntry(entry: TranscriptEntry): number {
  switch (entry.kind) {
    case 'user':
    case 'reasoning':
      return entry.text.length;
    case 'result':
      return entry.content.length;
    case 'assistant':
      return entry.calls.reduce(
        (bytes, { input }) => bytes + (toJson(input)?.length ?? 0),
        entry.text?.length ?? 0,
      );
    default:
      return entry satisfies never;
  }
}

/** True if the entry is the message that made the call. */
export function makes(entry: TranscriptEntry, toolCallId: string): boolean {
  return entry.kind === 'assistant' && entry.calls.some((call) => call.toolCallId === toolCallId);
}

/** Returns the entry without what the step has made of it: nothing, or itself, or the rest. */
export function without(step: Origin, entry: TranscriptEntry): TranscriptEntry[] {
  const isIts = ({ runId, stepId }: Origin) => runId === step.runId && stepId === step.stepId;
  if (entry.kind === 'user') return [entry];
  if (entry.kind !== 'assistant') return isIts(entry) ? [] : [entry];
  const calls = entry.calls.filter((call) => !isIts(call));
  if (!isIts(entry)) return [{ ...entry, calls }];
  const { text: _, ...silent } = entry;
  return calls.length > 0 ? [{ ...silent, calls }] : [];
}
