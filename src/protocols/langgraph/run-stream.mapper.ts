import type { RecordedEvent } from '../../events/recorded-event.js';
import type { InputRequest, RunEnd, StateChange } from '../../events/run-event.js';
import { isCall } from '../../events/requested-input.js';
import { isInsideCall } from '../../events/subagent.js';
import { toMessageId, toResultId } from '../transcript/transcript-entries.js';
import { CalledAgents, type CalledPieces } from './called-agents.js';
import { toInterrupt } from './langgraph-interrupts.js';
import { withReviewedCalls } from './reviewed-calls.js';
import { toLangGraphMessage, toValues } from './langgraph-messages.js';
import {
  toToolFact,
  toWritten,
  type MessageChunk,
  type MessageMetadata,
  type RunNames,
  type RunStreamChunk,
  type RunValues,
  type StepUpdate,
  type StreamMode,
  type ToolFact,
} from './run-stream-chunks.js';
import { EventChunks } from './run-stream-events.js';
import { isSpokenBy, isWrittenBy, MessageChunks } from './run-stream-messages.js';
import { StateChunks } from './run-stream-states.js';
import { StepDescriptions } from './step-descriptions.js';
import type { StreamedRun } from './streamed-run.js';
import { Supersteps, type EndedStep, type SuperstepNews } from './supersteps.js';

/**
 * A run's log in the words of LangGraph's `runs/stream`: in each mode that is asked for, and in no other, since some of them
 * repeat the whole conversation. `metadata` comes first, whatever the modes.
 */
export class RunStreamMapper {
  private readonly names: RunNames;
  private readonly messages: MessageChunks;
  private readonly called = new CalledAgents();
  private readonly supersteps = new Supersteps();
  private readonly states: StateChunks;
  private readonly events: EventChunks;
  /** Messages to tell as complete once their superstep is over. */
  private readonly complete: string[] = [];
  private readonly steps: StepDescriptions;
  private readonly toolNames = new Map<string, string>();
  /** The keys that the client knows to be left out of the state. */
  private omitted: readonly string[] = [];
  /** The inputs that wait for a person, by id. A step that is made again asks again, for the same. */
  private readonly pending = new Map<string, InputRequest>();

  /** The run in the ids of its messages. */
  private readonly ownId: string;

  constructor(private readonly run: StreamedRun) {
    this.ownId = run.stateRunId ?? run.runId;
    this.names = { run_id: run.runId, thread_id: run.threadId };
    this.steps = new StepDescriptions(this.names, run.hasSubgraphs ?? false);
    this.messages = new MessageChunks(run.transcript);
    this.states = new StateChunks(run);
    this.events = new EventChunks(run);
  }

  readonly map = (read: RecordedEvent): RunStreamChunk[] => {
    const recorded = this.ownId === this.run.runId ? read : { ...read, runId: this.ownId };
    const news = this.supersteps.hear(recorded.event);
    const before = news ? this.tell(news, recorded) : [];
    return [...before, ...this.mapEvent(recorded)];
  };

  private mapEvent(recorded: RecordedEvent): RunStreamChunk[] {
    const { event } = recorded;
    const called = this.called.map(recorded);
    if (called && event.type !== 'tool-start' && event.type !== 'tool-end')
      return this.toCalledChunks(called);
    const pieces = this.messages.map(recorded);
    const chunks = this.toChunks(recorded, pieces, called);
    if (!this.run.modes.has('events')) return chunks;
    const told = this.events.map(recorded, pieces, () => this.state());
    return event.type === 'run-start' ? [...chunks, ...told] : [...told, ...chunks];
  }

  private toChunks(
    recorded: RecordedEvent,
    pieces: readonly MessageChunk[],
    called: CalledPieces | undefined,
  ): RunStreamChunk[] {
    const { event } = recorded;
    switch (event.type) {
      case 'run-start':
        return [{ event: 'metadata', data: { ...this.names, attempt: 1 } }];
      case 'step-start':
        this.steps.learn(event);
        return [];
      case 'step-end':
        this.complete.push(...this.messages.listSpoken(this.ownId, event.stepId));
        return [];
      case 'step-reset':
        for (const { inputId, stepId } of this.pending.values())
          if (stepId === event.stepId) this.pending.delete(inputId);
        return [...this.toMessageChunks(pieces), ...this.values()];
      case 'file':
      case 'source':
        return [
          ...pieces.flatMap(({ id }) => this.toWholeMessage('partial', id)),
          ...this.toMessageChunks(pieces),
        ];
      case 'text-start':
      case 'reasoning-start':
        return this.announce(toMessageId(this.ownId, event.partId));
      case 'text-delta':
      case 'reasoning-delta':
        return [
          ...this.toWholeMessage('partial', toMessageId(this.ownId, event.partId)),
          ...this.toMessageChunks(pieces),
        ];
      case 'tool-start': {
        const { toolCallId, toolName, label, input = {} } = event;
        this.toolNames.set(toolCallId, toolName);
        return [
          ...this.toToolChunk(toolCallId, { event: 'on_tool_start', input, label }),
          ...this.progress({ toolCallId, message: label }),
          ...this.toCallChunks(pieces, toolCallId),
          ...this.toCalledChunks(called),
        ];
      }
      case 'tool-progress': {
        const { type: _, toolCallId, ...data } = event;
        return [
          ...this.toToolChunk(toolCallId, { event: 'on_tool_event', data }),
          ...this.progress({ toolCallId, ...data }),
        ];
      }
      case 'tool-end':
        if (event.outcome === 'awaiting-input') return [];
        return [
          ...this.toToolChunk(event.toolCallId, toToolFact(event)),
          ...this.toWholeMessage('complete', toResultId(this.ownId, event.toolCallId)),
          ...this.toMessageChunks(pieces),
          ...this.toCalledChunks(called),
        ];
      case 'input-request':
        this.pending.set(event.inputId, event);
        return isCall(event) ? this.toCallChunks(pieces, event.toolCallId) : [];
      case 'state':
        return this.tellOmitted(event);
      case 'custom':
        return this.in('custom', () => ({ event: 'custom', data: toWritten(event) }));
      case 'usage':
        return this.toMessageChunks(pieces);
      case 'checkpoint':
      case 'task':
        return this.states.map(recorded);
      // The state of its step has it.
      case 'message-put':
      case 'run-resume':
      case 'text-end':
      case 'reasoning-end':
      case 'input-answer':
        return [];
      case 'end':
        return this.end(event);
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  }

  /** Returns the chunks for a superstep, or for a step that has ended while others of its superstep go on. */
  private tell({ ended, isNewState }: SuperstepNews, { event, at }: RecordedEvent): RunStreamChunk[] {
    const complete = this.complete.splice(0);
    const tasks = ended.filter(({ step }) => step.parentStepId === undefined);
    const end = event.type === 'end' ? event : undefined;
    return [
      ...this.states.finish(
        tasks.map((each) => ({ ...each.step, toResult: () => this.toUpdate(each, isSpokenBy) })),
        { at, end, pending: this.pending.values() },
      ),
      ...ended.flatMap((each) => this.update(each)),
      ...(isNewState ? this.values() : []),
      ...complete.flatMap((id) => this.toWholeMessage('complete', id)),
    ];
  }

  private in(mode: StreamMode, chunk: () => RunStreamChunk): RunStreamChunk[] {
    return this.run.modes.has(mode) ? [chunk()] : [];
  }

  private values(): RunStreamChunk[] {
    return this.in('values', () => ({ event: 'values', data: this.state() }));
  }

  private state(): RunValues {
    const { transcript, hasMessages = true } = this.run;
    return hasMessages || transcript.entries.length > 0 ? toValues(transcript) : { ...transcript.state };
  }

  /** Returns the chunk for the output of a step: its own messages, those of other steps that it has called, and the keys that it wrote. */
  private update(ended: EndedStep): RunStreamChunk[] {
    const { name, subagent } = ended.step;
    if (subagent && isInsideCall({ subagent }) && !this.run.hasSubgraphs) return [];
    return this.in('updates', () => ({
      event: this.steps.toFrameName('updates', subagent),
      data: { [name]: this.toUpdate(ended) },
    }));
  }

  private toUpdate({ step: { stepId }, keys, isLate }: EndedStep, isIts = isWrittenBy): StepUpdate[string] {
    const { state = {}, entries } = this.run.transcript;
    const written = isLate ? [] : entries.filter((entry) => isIts(stepId, entry));
    const shown = keys.filter((key) => Object.hasOwn(state, key));
    const messages = written.map(toLangGraphMessage);
    return {
      ...Object.fromEntries(shown.map((key) => [key, state[key]])),
      ...((messages.length > 0 || shown.length === 0) && { messages }),
    };
  }

  private tellOmitted({ omitted: keys = [] }: StateChange): RunStreamChunk[] {
    if (String(keys) === String(this.omitted)) return [];
    this.omitted = keys;
    return this.in('custom', () => ({ event: 'custom', data: { name: 'state-omitted', data: { keys } } }));
  }

  /** Last among what an event says: the last frame alone has its id, and a piece that came twice would be joined twice. */
  private toMessageChunks(pieces: readonly MessageChunk[]): RunStreamChunk[] {
    if (!this.run.modes.has('messages-tuple')) return [];
    return pieces.map((piece) => ({
      event: this.steps.toFrameName('messages', this.steps.findSubagent(this.findStep(piece.id))),
      data: [piece, this.toMetadata(piece.id)],
    }));
  }

  /** Returns the messages of an agent that a tool calls, for clients that ask for subgraphs: others would show them as the answer. */
  private toCalledChunks(called: CalledPieces | undefined): RunStreamChunk[] {
    if (!called || !this.run.hasSubgraphs || !this.run.modes.has('messages-tuple')) return [];
    const { subagent, stepId, pieces } = called;
    const event = this.steps.toFrameName('messages', subagent);
    return pieces.map((piece) => ({ event, data: [piece, this.steps.describe(stepId)] }));
  }

  private announce(id: string): RunStreamChunk[] {
    return this.in('messages', () => ({
      event: 'messages/metadata',
      data: { [id]: { metadata: this.toMetadata(id) } },
    }));
  }

  private toWholeMessage(how: 'partial' | 'complete', id: string): RunStreamChunk[] {
    const entry = this.messages.find(id);
    if (!entry) return [];
    return this.in('messages', () => ({ event: `messages/${how}`, data: [toLangGraphMessage(entry)] }));
  }

  private toCallChunks(pieces: readonly MessageChunk[], toolCallId: string): RunStreamChunk[] {
    const caller = this.run.transcript.findCaller(toolCallId);
    return [...(caller ? this.toWholeMessage('partial', caller.id) : []), ...this.toMessageChunks(pieces)];
  }

  private toToolChunk(toolCallId: string, news: ToolFact): RunStreamChunk[] {
    const name = this.toolNames.get(toolCallId) ?? '';
    return this.in('tools', () => ({ event: 'tools', data: { toolCallId, name, ...news } }));
  }

  private progress(data: unknown): RunStreamChunk[] {
    return this.in('custom', () => ({ event: 'custom', data: { name: 'tool-progress', data } }));
  }

  private end({ outcome, error }: RunEnd): RunStreamChunk[] {
    if (outcome === 'awaiting-input') return this.interrupted();
    if (outcome !== 'failed') return [];
    const { code = 'RUN_FAILED', name = code, message = 'The agent failed.' } = error ?? {};
    return [{ event: 'error', data: { error: name, message } }];
  }

  /** Returns the chunks for the inputs that the run waits for. Some clients look for it among the updates, some in the state. */
  private interrupted(): RunStreamChunk[] {
    const interrupts = { __interrupt__: Array.from(this.pending.values(), toInterrupt) };
    const state = () => {
      const { messages, ...keys } = this.state();
      return {
        ...keys,
        ...(messages && { messages: withReviewedCalls(messages, [...this.pending.values()]) }),
      };
    };
    return [
      ...this.in('updates', () => ({ event: 'updates', data: interrupts })),
      ...this.in('values', () => ({ event: 'values', data: { ...state(), ...interrupts } })),
    ];
  }

  private toMetadata(messageId: string): MessageMetadata {
    return this.steps.describe(this.findStep(messageId));
  }

  private findStep(messageId: string): string {
    const entry = this.messages.find(messageId);
    return entry && entry.kind !== 'user' ? entry.stepId : '';
  }
}
