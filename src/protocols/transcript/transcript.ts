import type { RecordedEvent } from '../../events/recorded-event.js';
import type { ApprovalAnswer, ToolEnd, ToolOutcome } from '../../events/run-event.js';

/** A conversation as client libraries keep it: one message after the other, a tool's result behind the call. */
export type TranscriptEntry = UserEntry | AssistantEntry | ReasoningEntry | ResultEntry;

export interface UserEntry {
  readonly kind: 'user';
  readonly id: string;
  readonly text: string;
}

/** Whose output something is: a run that goes on after an approval makes the steps again in which the one before has stopped. */
interface Origin {
  readonly runId: string;
  readonly stepId: string;
}

/** What a model said in one go, and the tools it called then. */
export interface AssistantEntry extends Origin {
  readonly kind: 'assistant';
  readonly id: string;
  /** Absent when it has only called tools. */
  readonly text?: string;
  readonly calls: readonly ToolCall[];
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
  /** What the tool put out, as far as it is exposed; or why it did not. */
  readonly content: string;
}

/**
 * Folds runs into messages. Pure: ids and order are a function of the logs, so that a live stream, a snapshot and the history
 * of a thread name the same message alike.
 */
export class Transcript {
  private readonly items: TranscriptEntry[] = [];
  /** The assistant message that a tool call belongs to; none once a result stands behind it. */
  private speaker: string | undefined;
  /** The calls that people were asked about, by approval id. */
  private readonly asked = new Map<string, string>();
  /** The calls whose arguments a person has changed. */
  private readonly edited = new Set<string>();
  /** The steps that make the calls: one that was announced with an approval is made in another run's step. */
  private readonly madeIn = new Map<string, string>();

  get entries(): readonly TranscriptEntry[] {
    return this.items;
  }

  /** What the person said, before the run that answers. A run that goes on after an approval answers the same question still. */
  ask(id: string, text: string): void {
    if (this.items.findLast(({ kind }) => kind === 'user')?.id === id) return;
    this.items.push({ kind: 'user', id, text });
    this.speaker = undefined;
  }

  apply({ runId, event }: RecordedEvent): void {
    switch (event.type) {
      case 'text-start':
        this.speaker = messageIdOf(runId, event.partId);
        this.items.push({
          kind: 'assistant',
          id: this.speaker,
          runId,
          stepId: event.stepId,
          text: '',
          calls: [],
        });
        return;
      case 'reasoning-start':
        this.items.push({
          kind: 'reasoning',
          id: messageIdOf(runId, event.partId),
          runId,
          stepId: event.stepId,
          text: '',
        });
        return;
      case 'text-delta':
      case 'reasoning-delta':
        return this.say(messageIdOf(runId, event.partId), event.delta);
      case 'tool-start':
        this.madeIn.set(event.toolCallId, event.stepId);
        return this.call(runId, event);
      case 'approval-request':
        this.asked.set(event.approvalId, event.toolCallId);
        return this.call(runId, event);
      case 'approval-answer':
        return this.decide(event);
      case 'tool-end':
        return this.result(runId, event);
      case 'step-reset':
        return this.forget({ runId, stepId: event.stepId });
      case 'run-start':
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'text-end':
      case 'reasoning-end':
      case 'tool-progress':
      case 'usage':
      case 'custom':
      case 'end':
        return;
      default:
        event satisfies never;
    }
  }

  /** The message that made the call. */
  callerOf(toolCallId: string): AssistantEntry | undefined {
    return this.items.findLast((entry): entry is AssistantEntry => makes(entry, toolCallId));
  }

  /** Called, and without a result. Some models use the same id again in the next run. */
  private isOpen(toolCallId: string): boolean {
    const last = this.items.findLast(
      (entry) => makes(entry, toolCallId) || (entry.kind === 'result' && entry.toolCallId === toolCallId),
    );
    return last?.kind === 'assistant';
  }

  private say(id: string, delta: string): void {
    const index = this.items.findLastIndex((entry) => entry.id === id);
    const entry = this.items[index];
    if (entry?.kind === 'assistant' || entry?.kind === 'reasoning')
      this.items[index] = { ...entry, text: (entry.text ?? '') + delta };
  }

  private call(runId: string, { toolCallId, toolName, stepId, input }: Called): void {
    // Announced already, with the approval that it waited for.
    if (this.isOpen(toolCallId)) return this.edit(toolCallId, input);
    const call = { toolCallId, toolName, runId, stepId, input };
    this.speaker ??= messageIdOf(runId, `calls-${toolCallId}`);
    const index = this.items.findLastIndex(({ id }) => id === this.speaker);
    const entry = this.items[index];
    if (entry?.kind === 'assistant') this.items[index] = { ...entry, calls: [...entry.calls, call] };
    else this.items.push({ kind: 'assistant', id: this.speaker, runId, stepId, calls: [call] });
  }

  private decide({ approvalId, decision }: ApprovalAnswer): void {
    const toolCallId = this.asked.get(approvalId);
    if (toolCallId !== undefined && decision === 'edit') this.edited.add(toolCallId);
  }

  /** A call has the arguments that it is made with: those of whoever decided, as far as they may be seen. */
  private edit(toolCallId: string, input: unknown): void {
    if (input === undefined || !this.edited.delete(toolCallId)) return;
    const index = this.items.findLastIndex((entry) => makes(entry, toolCallId));
    const caller = this.items[index] as AssistantEntry;
    const calls = caller.calls.map((call) => (call.toolCallId === toolCallId ? { ...call, input } : call));
    this.items[index] = { ...caller, calls };
  }

  /** Behind the message that made the call, and behind the results that stand there already. */
  private result(runId: string, event: ToolEnd): void {
    const { toolCallId, outcome } = event;
    const caller = this.items.findLastIndex((entry) => makes(entry, toolCallId));
    const call = (this.items[caller] as AssistantEntry | undefined)?.calls.find(
      (made) => made.toolCallId === toolCallId,
    );
    if (!call) return;
    let place = caller + 1;
    while (this.items[place]?.kind === 'result') place++;
    this.items.splice(place, 0, {
      kind: 'result',
      id: resultIdOf(runId, toolCallId),
      runId,
      stepId: this.madeIn.get(toolCallId) ?? call.stepId,
      toolCallId,
      toolName: call.toolName,
      outcome,
      content: contentOf(event),
    });
    this.speaker = undefined;
  }

  /** Drops what a step has said and called. */
  private forget(step: Origin): void {
    const kept = this.items.flatMap((entry) => without(step, entry));
    this.items.splice(0, Infinity, ...kept);
    this.speaker = undefined;
  }
}

type Called = Pick<ToolCall, 'toolCallId' | 'toolName' | 'stepId'> & { readonly input?: unknown };

/** Messages are named by the run and the part: parts alone are not unique in a thread. */
export function messageIdOf(runId: string, partId: string): string {
  return `${runId}-${partId}`;
}

export function resultIdOf(runId: string, toolCallId: string): string {
  return `${runId}-result-${toolCallId}`;
}

/** What a tool said, as text; hidden output is empty. */
export function contentOf({ outcome, output, error }: Pick<ToolEnd, 'outcome' | 'output' | 'error'>): string {
  if (outcome !== 'ok') return error?.message ?? `The call ended: ${outcome}.`;
  if (output === undefined) return '';
  return typeof output === 'string' ? output : JSON.stringify(output);
}

function makes(entry: TranscriptEntry, toolCallId: string): boolean {
  return entry.kind === 'assistant' && entry.calls.some((call) => call.toolCallId === toolCallId);
}

function without(step: Origin, entry: TranscriptEntry): TranscriptEntry[] {
  const isIts = ({ runId, stepId }: Origin) => runId === step.runId && stepId === step.stepId;
  if (entry.kind === 'user') return [entry];
  if (entry.kind !== 'assistant') return isIts(entry) ? [] : [entry];
  const calls = entry.calls.filter((call) => !isIts(call));
  if (!isIts(entry)) return [{ ...entry, calls }];
  const { text: _, ...silent } = entry;
  return calls.length > 0 ? [{ ...silent, calls }] : [];
}
