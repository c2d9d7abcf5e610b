import type { RecordedEvent } from '../../events/recorded-event.js';
import { isCall } from '../../events/requested-input.js';
import { applyState, type RunState } from '../../events/run-state.js';
import { isInsideCall, type Subagent } from '../../events/subagent.js';
import type { InputAnswered, MessagePut, ToolEnd, Usage, UsageReport } from '../../events/run-event.js';
import { addUsage } from '../../events/usage.js';
import type { Run } from '../../runs/run.js';
import { addPart, appendText, changeCall, changeMessage, insertResult } from './edit-entries.js';
import { StepOwners } from './step-owners.js';
import {
  makes,
  toAddedEntry,
  toMessageId,
  toOwner,
  trimEntries,
  weighEntries,
  without,
  withoutAnswer,
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
  /** The state that agents showed last. Undefined if none did. */
  state: RunState | undefined;
  /** The keys currently left out of the state. */
  omitted: readonly string[] = [];
  /** The agents inside the runs' own, by their steps. */
  owners = new StepOwners();
  private items: TranscriptEntry[] = [];
  /** The assistant message that was begun last; none once a result stands behind it. */
  private speaker: string | undefined;
  /** By agent, under {@link toOwner}: the assistant message that its tool calls belong to. */
  private speakers = new Map<string, string>();
  /** The tokens of a model call that has said nothing so far: those of the calls that it makes next. */
  private unclaimed: Usage | undefined;
  /** The calls that people were asked about, or that the client makes, by input id. */
  private approvalsByCall = new Map<string, string>();
  /** The calls whose arguments a person has changed. */
  private edited = new Set<string>();
  /** The steps that make the calls: one that was announced with an approval is made in another run's step. */
  private madeIn = new Map<string, string>();

  /** @param withCalled with what agents say that a tool calls, and what they call; default: only what is part of the answer */
  constructor(private readonly withCalled = false) {}

  get entries(): readonly TranscriptEntry[] {
    return this.items;
  }

  /** Returns one that goes its own way from here. What was said so far is shared. */
  fork(): Transcript {
    const fork = new Transcript(this.withCalled);
    fork.state = this.state;
    fork.omitted = this.omitted;
    fork.items = [...this.items];
    fork.speaker = this.speaker;
    fork.speakers = new Map(this.speakers);
    fork.owners = new StepOwners(this.owners);
    fork.unclaimed = this.unclaimed;
    fork.approvalsByCall = new Map(this.approvalsByCall);
    fork.edited = new Set(this.edited);
    fork.madeIn = new Map(this.madeIn);
    return fork;
  }

  /** Roughly the bytes of what was said. */
  get bytes(): number {
    return weighEntries(this.items);
  }

  /** Drops the oldest questions, each with its answer, until there are at most so many bytes, or one question. */
  trim(maxBytes: number): void {
    trimEntries(this.items, maxBytes);
  }

  /**
   * Adds the person's message, before the run that answers it. A run that goes on after an approval answers the same question still.
   *
   * @param id undefined for a run that answers no message. One that changes the state of its graph never does
   */
  ask(
    id: string | undefined,
    { message: text, given, resumeOf }: Pick<Run, 'message' | 'given' | 'resumeOf'>,
  ): void {
    // A run that continues, or changes the state, goes on with what was said.
    if (given?.stateChange) return;
    if (id === undefined) {
      if (resumeOf === undefined) this.endTurns();
      return;
    }
    // People may have said more to the run that it continues.
    const asked = this.items.filter((entry) => entry.kind === 'user' && !entry.origin);
    if ((resumeOf === undefined ? asked.slice(-1) : asked).some((entry) => entry.id === id)) return;
    this.items.push({ kind: 'user', id, text, ...(given?.files && { files: given.files }) });
    this.endTurns();
  }

  apply({ runId, event }: RecordedEvent): void {
    switch (event.type) {
      case 'text-start': {
        if (this.isLeftOut(event)) return;
        const { stepId, subagent } = event;
        const id = toMessageId(runId, event.partId);
        this.speak(id, subagent);
        this.unclaimed = undefined;
        const entry = { kind: 'assistant', id, runId, stepId, text: '', calls: [] } as const;
        this.items.push({ ...entry, ...(subagent && { subagent }) });
        return;
      }
      case 'reasoning-start': {
        if (this.isLeftOut(event)) return;
        const { stepId, subagent } = event;
        const entry = {
          kind: 'reasoning',
          id: toMessageId(runId, event.partId),
          runId,
          stepId,
          text: '',
        } as const;
        this.items.push({ ...entry, ...(subagent && { subagent }) });
        return;
      }
      case 'text-delta':
      case 'reasoning-delta':
        return appendText(this.items, toMessageId(runId, event.partId), event.delta);
      case 'file':
      case 'source':
        if (!this.isLeftOut(event)) addPart(this.items, runId, event);
        return;
      case 'tool-start':
        if (this.isLeftOut(event)) return;
        this.madeIn.set(event.toolCallId, event.stepId);
        return this.call(runId, event);
      case 'input-request':
        // A question that is not about a call is not a message.
        if (!isCall(event)) return;
        this.approvalsByCall.set(event.inputId, event.toolCallId);
        return this.call(runId, event);
      case 'input-answer':
        return this.decide(runId, event);
      case 'tool-end':
        // It is made again with the answer: until then it has no result.
        return event.outcome === 'awaiting-input' ? undefined : this.result(runId, event);
      case 'usage':
        return this.report(event);
      case 'state':
        this.state = applyState(this.state, event);
        this.omitted = event.omitted ?? [];
        return;
      case 'message-put':
        return this.put(runId, event);
      case 'step-reset':
        return this.forget({ runId, stepId: event.stepId });
      case 'run-start':
        // The answer of a run is not that of the next.
        if (event.resumeOf === undefined) this.state = withoutAnswer(this.state);
        return;
      case 'step-start':
        return this.owners.learn(runId, event);
      case 'run-resume':
      case 'step-end':
      case 'text-end':
      case 'reasoning-end':
      case 'tool-progress':
      case 'custom':
      case 'checkpoint':
      case 'task':
      case 'end':
        return;
      default:
        event satisfies never;
    }
  }

  /** Changes a message that was said before, or adds one. */
  private put(runId: string, { messageId: id, text, role, stepId }: MessagePut): void {
    if (changeMessage(this.items, id, text)) return;
    const origin = stepId !== undefined && { origin: { runId, stepId } };
    if (role && text !== undefined) this.items.push({ kind: role, id, text, ...origin });
    this.endTurns();
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

  private isLeftOut(event: { readonly subagent?: Subagent }): boolean {
    return !this.withCalled && isInsideCall(event);
  }

  private speak(id: string, subagent: Subagent | undefined): void {
    this.speaker = id;
    this.speakers.set(toOwner(subagent), id);
  }

  /** Makes the next text a message of its own. */
  private endTurns(): void {
    this.speaker = undefined;
    this.speakers.clear();
  }

  /** The end of a model call belongs to the message that it was writing. A message has one: those of models inside its tools are not its own. */
  private report(event: UsageReport): void {
    const { finishReason, failed } = event;
    if (failed) return;
    const usage = addUsage(undefined, event);
    const index = this.items.findLastIndex(({ id }) => id === this.speaker);
    const entry = this.items[index];
    if (entry?.kind !== 'assistant') this.unclaimed = usage;
    else if (!entry.usage) this.items[index] = { ...entry, ...(finishReason && { finishReason }), usage };
  }

  private call(runId: string, { toolCallId, toolName, stepId, input }: Called): void {
    // Announced already, with the approval that it waited for.
    if (this.isOpen(toolCallId)) return this.edit(toolCallId, input);
    const call = { toolCallId, toolName, runId, stepId, input };
    const subagent = this.owners.find(stepId);
    const speaker = this.speakers.get(toOwner(subagent)) ?? toMessageId(runId, `calls-${toolCallId}`);
    this.speak(speaker, subagent);
    const index = this.items.findLastIndex(({ id }) => id === speaker);
    const entry = this.items[index];
    if (entry?.kind === 'assistant') this.items[index] = { ...entry, calls: [...entry.calls, call] };
    else {
      const usage = this.unclaimed && { usage: this.unclaimed };
      const by = subagent && { subagent };
      this.items.push({ kind: 'assistant', id: speaker, runId, stepId, calls: [call], ...usage, ...by });
    }
    this.unclaimed = undefined;
  }

  private decide(runId: string, { inputId, decision, added = [] }: InputAnswered): void {
    this.items.push(...added.map((message) => toAddedEntry(runId, message)));
    const toolCallId = this.approvalsByCall.get(inputId);
    if (toolCallId !== undefined && decision === 'edit') this.edited.add(toolCallId);
  }

  /** A call has the arguments that it is made with: those of the decision, as far as they may be seen. */
  private edit(toolCallId: string, input: unknown): void {
    if (input === undefined || !this.edited.delete(toolCallId)) return;
    changeCall(this.items, toolCallId, input);
  }

  /** Ends the turn of the agent that made the call. */
  private result(runId: string, event: ToolEnd): void {
    const caller = insertResult(this.items, event, { runId, madeIn: this.madeIn.get(event.toolCallId) });
    if (!caller) return;
    this.speaker = undefined;
    this.speakers.delete(toOwner(caller.subagent));
  }

  /** Drops what a step has said and called. */
  private forget(step: Origin): void {
    const kept = this.items.flatMap((entry) => without(step, entry));
    this.items.splice(0, Infinity, ...kept);
    this.endTurns();
  }
}

type Called = Pick<ToolCall, 'toolCallId' | 'toolName' | 'stepId'> & { readonly input?: unknown };
