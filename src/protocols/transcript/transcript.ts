import type { RecordedEvent } from '../../events/recorded-event.js';
import { isCall } from '../../events/requested-input.js';
import { applyState, type RunState } from '../../events/run-state.js';
import type { InputAnswered, ToolEnd, Usage, UsageReport } from '../../events/run-event.js';
import {
  makes,
  toContent,
  toMessageId,
  toResultId,
  weighEntry,
  without,
  type AssistantEntry,
  type Origin,
  type ToolCall,
  type TranscriptEntry,
} from './transcript-entries.js';

/**
 * Folds runs into messages. Pure: ids and order are a function of the logs, so that a live stream, a snapshot and the history
 * of a thread name the same message alike.
 */
export class Transcript {
  /** The state that agents have shown last, in this run or before. Undefined where none did. */
  state: RunState | undefined;
  private items: TranscriptEntry[] = [];
  /** The assistant message that a tool call belongs to; none once a result stands behind it. */
  private speaker: string | undefined;
  /** The tokens of a model call that has said nothing so far: those of the calls that it makes next. */
  private unclaimed: Usage | undefined;
  /** The calls that people were asked about, or that the client makes, by input id. */
  private approvalsByCall = new Map<string, string>();
  /** The calls whose arguments a person has changed. */
  private edited = new Set<string>();
  /** The steps that make the calls: one that was announced with an approval is made in another run's step. */
  private madeIn = new Map<string, string>();

  get entries(): readonly TranscriptEntry[] {
    return this.items;
  }

  /** Returns one that goes its own way from here. What was said so far is shared. */
  fork(): Transcript {
    const fork = new Transcript();
    fork.state = this.state;
    fork.items = [...this.items];
    fork.speaker = this.speaker;
    fork.unclaimed = this.unclaimed;
    fork.approvalsByCall = new Map(this.approvalsByCall);
    fork.edited = new Set(this.edited);
    fork.madeIn = new Map(this.madeIn);
    return fork;
  }

  /** Roughly the bytes of what was said. */
  get bytes(): number {
    return this.items.reduce((bytes, entry) => bytes + weighEntry(entry), 0);
  }

  /** Drops the oldest questions, each with its answer, until there are at most so many bytes, or one question. */
  trim(maxBytes: number): void {
    let { bytes } = this;
    while (bytes > maxBytes) {
      const second = this.items.findIndex(({ kind }, index) => kind === 'user' && index > 0);
      if (second === -1) return;
      for (const dropped of this.items.splice(0, second)) bytes -= weighEntry(dropped);
    }
  }

  /** Adds the person's message, before the run that answers it. A run that goes on after an approval answers the same question still. */
  ask(id: string, text: string): void {
    if (this.items.findLast(({ kind }) => kind === 'user')?.id === id) return;
    this.items.push({ kind: 'user', id, text });
    this.speaker = undefined;
  }

  apply({ runId, event }: RecordedEvent): void {
    switch (event.type) {
      case 'text-start':
        this.speaker = toMessageId(runId, event.partId);
        this.unclaimed = undefined;
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
          id: toMessageId(runId, event.partId),
          runId,
          stepId: event.stepId,
          text: '',
        });
        return;
      case 'text-delta':
      case 'reasoning-delta':
        return this.appendText(toMessageId(runId, event.partId), event.delta);
      case 'tool-start':
        this.madeIn.set(event.toolCallId, event.stepId);
        return this.call(runId, event);
      case 'input-request':
        // A question that is not about a call is not a message.
        if (!isCall(event)) return;
        this.approvalsByCall.set(event.inputId, event.toolCallId);
        return this.call(runId, event);
      case 'input-answer':
        return this.decide(event);
      case 'tool-end':
        // It is made again with the answer: until then it has no result.
        return event.outcome === 'awaiting-input' ? undefined : this.result(runId, event);
      case 'usage':
        return this.report(event);
      case 'state':
        this.state = applyState(this.state, event);
        return;
      case 'step-reset':
        return this.forget({ runId, stepId: event.stepId });
      case 'run-start':
        // The answer of a run is not that of the next.
        if (event.resumeOf === undefined) this.state = withoutAnswer(this.state);
        return;
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'text-end':
      case 'reasoning-end':
      case 'tool-progress':
      case 'custom':
      case 'end':
        return;
      default:
        event satisfies never;
    }
  }

  /** The message that made the call. */
  findCaller(toolCallId: string): AssistantEntry | undefined {
    return this.items.findLast((entry): entry is AssistantEntry => makes(entry, toolCallId));
  }

  /** Called, and without a result. Some models use the same id again in the next run. */
  private isOpen(toolCallId: string): boolean {
    const last = this.items.findLast(
      (entry) => makes(entry, toolCallId) || (entry.kind === 'result' && entry.toolCallId === toolCallId),
    );
    return last?.kind === 'assistant';
  }

  private appendText(id: string, delta: string): void {
    const index = this.items.findLastIndex((entry) => entry.id === id);
    const entry = this.items[index];
    if (entry?.kind === 'assistant' || entry?.kind === 'reasoning')
      this.items[index] = { ...entry, text: (entry.text ?? '') + delta };
  }

  /** The end of a model call belongs to the message that it was writing. A message has one: those of models inside its tools are not its own. */
  private report({ finishReason, type: _type, model: _model, ...usage }: UsageReport): void {
    const index = this.items.findLastIndex(({ id }) => id === this.speaker);
    const entry = this.items[index];
    if (entry?.kind !== 'assistant') this.unclaimed = usage;
    else if (!entry.usage) this.items[index] = { ...entry, ...(finishReason && { finishReason }), usage };
  }

  private call(runId: string, { toolCallId, toolName, stepId, input }: Called): void {
    // Announced already, with the approval that it waited for.
    if (this.isOpen(toolCallId)) return this.edit(toolCallId, input);
    const call = { toolCallId, toolName, runId, stepId, input };
    this.speaker ??= toMessageId(runId, `calls-${toolCallId}`);
    const index = this.items.findLastIndex(({ id }) => id === this.speaker);
    const entry = this.items[index];
    if (entry?.kind === 'assistant') this.items[index] = { ...entry, calls: [...entry.calls, call] };
    else {
      const usage = this.unclaimed && { usage: this.unclaimed };
      this.items.push({ kind: 'assistant', id: this.speaker, runId, stepId, calls: [call], ...usage });
    }
    this.unclaimed = undefined;
  }

  private decide({ inputId, decision }: InputAnswered): void {
    const toolCallId = this.approvalsByCall.get(inputId);
    if (toolCallId !== undefined && decision === 'edit') this.edited.add(toolCallId);
  }

  /** A call has the arguments that it is made with: those of the decision, as far as they may be seen. */
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
    let index = caller + 1;
    while (this.items[index]?.kind === 'result') index++;
    this.items.splice(index, 0, {
      kind: 'result',
      id: toResultId(runId, toolCallId),
      runId,
      stepId: this.madeIn.get(toolCallId) ?? call.stepId,
      toolCallId,
      toolName: call.toolName,
      outcome,
      content: toContent(event),
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

/** `structuredResponse` is LangChain's name for an answer in a form. */
function withoutAnswer(state: RunState | undefined): RunState | undefined {
  if (!state || !('structuredResponse' in state)) return state;
  const { structuredResponse: _, ...rest } = state;
  return rest;
}

type Called = Pick<ToolCall, 'toolCallId' | 'toolName' | 'stepId'> & { readonly input?: unknown };
