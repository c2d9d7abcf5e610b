import { toJson } from '../../events/plain-data.js';
import type {
  FilePut,
  FinishReason,
  SourceCited,
  ToolEnd,
  ToolOutcome,
  Usage,
} from '../../events/run-event.js';
import type { FileFacts, PlacedFile, SourceFacts } from '../../events/message-part.js';
import type { AddedMessage } from '../../events/requested-input.js';
import type { RunState } from '../../events/run-state.js';
import { toSubagentId, type Subagent } from '../../events/subagent.js';

/** A conversation as client libraries keep it: one message after the other, a tool's result behind the call. */
export type TranscriptEntry = UserEntry | AssistantEntry | ReasoningEntry | ResultEntry;

export interface UserEntry {
  readonly kind: 'user';
  readonly id: string;
  readonly text: string;
  /** Absent: none. */
  readonly files?: readonly PlacedFile[];
  /** The message as its client wrote it, where an answer has added it. */
  readonly original?: AddedMessage['original'];
  /** The step of a graph that has written it in the person's name. */
  readonly origin?: Origin;
}

/** The run and step that made an output. A run that continues after an approval repeats the steps in which the earlier run stopped. */
export interface Origin {
  readonly runId: string;
  readonly stepId: string;
}

/** A file or a source of a message, or a file from a call. */
export type EntryPart = { readonly id: string } & (
  | ({ readonly kind: 'file'; readonly toolCallId?: string } & FileFacts)
  | ({ readonly kind: 'source' } & SourceFacts)
);

/** The text of one model call, and the tools that it called. */
export interface AssistantEntry extends Origin {
  readonly kind: 'assistant';
  readonly id: string;
  /** Absent when it has only called tools. */
  readonly text?: string;
  readonly calls: readonly ToolCall[];
  /** Its files and sources. Absent: none. */
  readonly parts?: readonly EntryPart[];
  /** The reason why it is incomplete. */
  readonly finishReason?: FinishReason;
  /** The tokens of the model call that it comes from. */
  readonly usage?: Usage;
  /** The agent that says it, where it is not the run's own. */
  readonly subagent?: Subagent;
  /** The message as its client wrote it, where an answer has added it. */
  readonly original?: AddedMessage['original'];
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
  readonly subagent?: Subagent;
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

/** Returns a message that an answer has added. It belongs to no step: nothing supersedes it. */
export function toAddedEntry(runId: string, { id, role, text, original }: AddedMessage): TranscriptEntry {
  if (role === 'user') return { kind: role, id, text, original };
  return { kind: role, id, runId, stepId: '', text, calls: [], original };
}

/** Messages are named by the run and the part: parts alone are not unique in a thread. */
export function toMessageId(runId: string, partId: string): string {
  return `${runId}-${partId}`;
}

export function toResultId(runId: string, toolCallId: string): string {
  return `${runId}-result-${toolCallId}`;
}

/** Returns the part of a message that an event describes. */
export function toPart(runId: string, event: FilePut | SourceCited): EntryPart {
  const id = toMessageId(runId, event.partId);
  if (event.type === 'source') {
    const { url, title, quote } = event;
    return { id, kind: 'source', ...(url && { url }), ...(title && { title }), ...(quote && { quote }) };
  }
  const { type, partId: _, messageId: __, stepId: ___, subagent: ____, ...facts } = event;
  return { id, kind: type, ...facts };
}

/** True if the part belongs to the message. A file of a call belongs to none. */
export function belongsTo(
  part: EntryPart,
  { runId, stepId }: Origin,
  entry: TranscriptEntry,
): entry is AssistantEntry {
  if (entry.kind !== 'assistant' || entry.runId !== runId || entry.stepId !== stepId) return false;
  return entry.text !== undefined && !('toolCallId' in part);
}

/** Returns the key of an agent; empty for the run's own. */
export function toOwner(subagent: Subagent | undefined): string {
  return subagent ? toSubagentId(subagent) : '';
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
        (bytes, { input }) => bytes + weighData(input),
        (entry.text?.length ?? 0) + weighData(entry.parts),
      );
    default:
      return entry satisfies never;
  }
}

function weighData(value: unknown): number {
  return toJson(value)?.length ?? 0;
}

/** Drops the oldest questions, each with its answer, until at most so many bytes or one question remain. */
export function trimEntries(entries: TranscriptEntry[], maxBytes: number): void {
  let bytes = weighEntries(entries);
  while (bytes > maxBytes) {
    const second = entries.findIndex(({ kind }, index) => kind === 'user' && index > 0);
    if (second === -1) return;
    for (const dropped of entries.splice(0, second)) bytes -= weighEntry(dropped);
  }
}

export function weighEntries(entries: readonly TranscriptEntry[]): number {
  return entries.reduce((bytes, entry) => bytes + weighEntry(entry), 0);
}

/** `structuredResponse` is LangChain's name for structured output. */
export function withoutAnswer(state: RunState | undefined): RunState | undefined {
  if (!state || !('structuredResponse' in state)) return state;
  const { structuredResponse: _, ...rest } = state;
  return rest;
}

/** Returns the entry with other words. */
export function withText(entry: TranscriptEntry, text: string): TranscriptEntry {
  return entry.kind === 'result' ? { ...entry, content: text } : { ...entry, text };
}

/** True if the entry is the message that made the call. */
export function makes(entry: TranscriptEntry, toolCallId: string): boolean {
  return entry.kind === 'assistant' && entry.calls.some((call) => call.toolCallId === toolCallId);
}

/** Returns the entry without what the step has made of it: nothing, or itself, or the rest. */
export function without(step: Origin, entry: TranscriptEntry): TranscriptEntry[] {
  const isIts = ({ runId, stepId }: Origin) => runId === step.runId && stepId === step.stepId;
  if (entry.kind === 'user') return entry.origin && isIts(entry.origin) ? [] : [entry];
  if (entry.kind !== 'assistant') return isIts(entry) ? [] : [entry];
  const calls = entry.calls.filter((call) => !isIts(call));
  if (!isIts(entry)) return [{ ...entry, calls }];
  const { text: _, parts: __, ...silent } = entry;
  return calls.length > 0 ? [{ ...silent, calls }] : [];
}
