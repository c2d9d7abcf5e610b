import type { RecordedEvent } from '../../events/recorded-event.js';
import type {
  ApprovalRequest,
  ClientToolRequest,
  FilePut,
  InputRequest,
  RunEnd,
  RunEvent,
  SourceCited,
  StateChange,
  TextDelta,
  TextStart,
  ReasoningDelta,
  ReasoningStart,
  ToolEnd,
  ToolStart,
} from '../../events/run-event.js';
import { isInsideCall } from '../../events/subagent.js';
import { addUsage } from '../../events/usage.js';
import {
  toContent,
  toMessageId,
  toPart,
  toResultId,
  type AssistantEntry,
  type TranscriptEntry,
} from '../transcript/transcript-entries.js';
import { Transcript } from '../transcript/transcript.js';
import type { AgUiEvent, AgUiInterrupt, AgUiMessage, AgUiUsage, OfSubagent } from './ag-ui-events.js';
import { toInterrupt, toOutcome } from './ag-ui-interrupts.js';
import { toActivityEvent, toAgUiMessages, toArguments } from './ag-ui-messages.js';
import { toStateEvents } from './ag-ui-state.js';
import { endPart, startPart, type OpenPart } from './ag-ui-parts.js';
import type { AgUiRun } from './ag-ui-run.js';
import { AgUiSteps } from './ag-ui-steps.js';
import { AgUiSuperseded } from './ag-ui-superseded.js';

/** A run's log as AG-UI events. Fed from seq 1, without a gap; what it says is a function of what it was fed. */
export class AgUiMapper {
  private readonly transcript = new Transcript(true);
  private readonly steps: AgUiSteps;
  /** The messages in front of those that the transcript has. */
  private readonly history: readonly AgUiMessage[];
  /** The client has results of its own making, for calls that were not made: CopilotKit keeps a person's answer as one. */
  private readonly hasAnswersAsResults: boolean;
  private readonly parts = new Map<string, OpenPart>();
  private readonly superseded = new AgUiSuperseded();
  /** With the step that asks: what is asked in one that is made again is asked again. */
  private readonly interrupts = new Map<
    string,
    { readonly stepId: string; readonly interrupt: AgUiInterrupt }
  >();
  private readonly usage = new Map<string, AgUiUsage>();

  constructor(private readonly run: AgUiRun) {
    const { history, earlier = [], state, dialect } = run;
    this.steps = new AgUiSteps(dialect === '1.0');
    this.transcript.state = state;
    for (const recorded of earlier) if (!this.isUnsaid(recorded.event)) this.transcript.apply(recorded);
    const own = new Set(this.transcript.entries.map(({ id }) => id));
    const begin = history.findIndex(({ id }) => own.has(id));
    this.history = begin < 0 ? history : history.slice(0, begin);
    const since = begin < 0 ? [] : history.slice(begin);
    this.hasAnswersAsResults = since.some(({ id, role }) => role === 'tool' && !own.has(id));
  }

  map(recorded: RecordedEvent): AgUiEvent[] {
    const { event } = recorded;
    switch (event.type) {
      case 'run-start':
        return this.hasAnswersAsResults ? [this.started(), this.snapshot()] : [this.started()];
      case 'run-resume':
        return [];
      case 'step-start':
        this.transcript.apply(recorded);
        return this.steps.enter(event);
      case 'step-end':
        return this.steps.leave(event.stepId, this.interrupts);
      case 'step-reset':
        return this.supersede(recorded, event.stepId);
      case 'text-start':
        return this.open(recorded, event, 'text');
      case 'reasoning-start':
        return this.open(recorded, event, 'reasoning');
      case 'text-delta':
      case 'reasoning-delta':
        return this.appendText(recorded, event);
      case 'text-end':
      case 'reasoning-end':
        return this.close(event.partId);
      case 'file':
      case 'source':
        return this.show(recorded, event);
      case 'tool-start':
        return this.startTool(recorded, event);
      case 'tool-progress': {
        const { type: name, ...progress } = event;
        return [{ type: 'CUSTOM', name, value: progress }];
      }
      case 'tool-end':
        return this.endTool(recorded, event);
      case 'input-request':
        return this.ask(recorded, event);
      case 'input-answer': {
        const { type: name, ...answer } = event;
        this.transcript.apply(recorded);
        return [{ type: 'CUSTOM', name, value: answer }];
      }
      case 'usage': {
        const { model, failed } = event;
        if (failed) return [];
        this.usage.set(model, { model, ...addUsage(this.usage.get(model), event) });
        return [];
      }
      case 'state':
        return this.changeState(recorded, event);
      case 'message-put':
        this.transcript.apply(recorded);
        return [this.snapshot()];
      case 'checkpoint':
      case 'task':
        return [];
      case 'custom':
        return [{ type: 'CUSTOM', name: event.name, value: event.data }];
      case 'end':
        return this.end(event);
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  }

  /**
   * For a client that joins here, with or without earlier messages: all that was said until now, and the start of each
   * thing that is still open. A replay would double the words of a client that has kept its messages.
   */
  catchUp(): AgUiEvent[] {
    return [
      this.started(),
      this.snapshot(),
      ...toStateEvents(this.transcript),
      ...this.steps.list(),
      ...[...this.parts.values()].flatMap(startPart),
    ];
  }

  /** A client before 1.0 would show what an agent says that a tool calls as the answer. */
  private isUnsaid(event: RunEvent): boolean {
    const begins = event.type === 'text-start' || event.type === 'reasoning-start';
    return this.run.dialect === '0' && begins && isInsideCall(event);
  }

  private started(): AgUiEvent {
    const { threadId, runId } = this.run;
    return { type: 'RUN_STARTED', threadId, runId };
  }

  /** AG-UI cannot take back a message; it can say what all messages are. */
  private supersede(recorded: RecordedEvent, stepId: string): AgUiEvent[] {
    const open = [...this.parts].filter(([, part]) => part.stepId === stepId);
    const closing = open.flatMap(([partId]) => this.close(partId));
    this.superseded.add(this.transcript.entries, {
      runId: recorded.runId,
      stepId,
      isInner: this.steps.isInner(stepId),
      dialect: this.run.dialect,
      attribute: (entry) => this.attribute(entry),
    });
    for (const [inputId, asked] of this.interrupts)
      if (asked.stepId === stepId) this.interrupts.delete(inputId);
    this.transcript.apply(recorded);
    return [...closing, ...this.steps.supersede(stepId), this.snapshot()];
  }

  private open(
    recorded: RecordedEvent,
    event: TextStart | ReasoningStart,
    kind: OpenPart['kind'],
  ): AgUiEvent[] {
    if (this.isUnsaid(event)) return [];
    const { partId, stepId } = event;
    const by = this.steps.attribute(stepId);
    const part: OpenPart = { kind, messageId: toMessageId(recorded.runId, partId), stepId, by };
    this.transcript.apply(recorded);
    this.parts.set(partId, part);
    return startPart(part);
  }

  private appendText(recorded: RecordedEvent, { partId, delta }: TextDelta | ReasoningDelta): AgUiEvent[] {
    const part = this.parts.get(partId);
    if (!part || delta === '') return [];
    this.transcript.apply(recorded);
    const { kind, messageId } = part;
    return [
      { type: kind === 'text' ? 'TEXT_MESSAGE_CONTENT' : 'REASONING_MESSAGE_CONTENT', messageId, delta },
    ];
  }

  private close(partId: string): AgUiEvent[] {
    const part = this.parts.get(partId);
    this.parts.delete(partId);
    return part ? endPart(part) : [];
  }

  private changeState(recorded: RecordedEvent, event: StateChange): AgUiEvent[] {
    const { omitted } = this.transcript;
    this.transcript.apply(recorded);
    return toStateEvents(this.transcript, { event, omitted });
  }

  private show(recorded: RecordedEvent, event: FilePut | SourceCited): AgUiEvent[] {
    this.transcript.apply(recorded);
    const by = this.steps.attribute(event.stepId);
    return [toActivityEvent(toPart(recorded.runId, event), by, this.run.dialect)];
  }

  private startTool(recorded: RecordedEvent, event: ToolStart): AgUiEvent[] {
    const { toolCallId, label } = event;
    // The label is for people, and AG-UI has no place for it at the call: it is the call's first progress.
    const progress = {
      type: 'CUSTOM',
      name: 'tool-progress',
      value: { toolCallId, message: label },
    } as const;
    return [...this.announce(recorded, event), progress];
  }

  /** A call that was announced before, with the approval that it waited for, is not announced again. */
  private announce(
    recorded: RecordedEvent,
    call: ToolStart | ApprovalRequest | ClientToolRequest,
  ): AgUiEvent[] {
    const { toolCallId, toolName, input } = call;
    const before = this.transcript.findCaller(toolCallId);
    this.transcript.apply(recorded);
    // Other arguments than those that were announced can only be said with all messages.
    if (before) return before === this.transcript.findCaller(toolCallId) ? [] : [this.snapshot()];
    const caller = this.transcript.findCaller(toolCallId);
    const parentMessageId = caller?.id ?? toolCallId;
    const by = this.steps.attribute(call.stepId);
    if (this.isRefused(recorded.runId, call, caller)) return [this.snapshot()];
    return [
      { type: 'TOOL_CALL_START', toolCallId, toolCallName: toolName, parentMessageId, ...by },
      { type: 'TOOL_CALL_ARGS', toolCallId, delta: toArguments(input) },
      { type: 'TOOL_CALL_END', toolCallId },
    ];
  }

  /** A client takes a call of an agent inside only under ids that are that agent's, and knows the agents of one run only. */
  private isRefused(
    runId: string,
    { toolCallId, stepId }: Pick<ToolStart, 'toolCallId' | 'stepId'>,
    caller: AssistantEntry | undefined,
  ): boolean {
    const isOfEarlierRun = caller !== undefined && caller.runId !== runId;
    return this.superseded.has(toolCallId, caller) || (this.steps.isInner(stepId) && isOfEarlierRun);
  }

  private endTool(recorded: RecordedEvent, event: ToolEnd): AgUiEvent[] {
    const { toolCallId } = event;
    this.transcript.apply(recorded);
    if (event.outcome === 'awaiting-input') return [];
    const messageId = toResultId(recorded.runId, toolCallId);
    return [{ type: 'TOOL_CALL_RESULT', messageId, toolCallId, content: toContent(event), role: 'tool' }];
  }

  private ask(recorded: RecordedEvent, event: InputRequest): AgUiEvent[] {
    const { inputId, stepId } = event;
    // A call without a result, at the end of a run: the client makes it, and sends the result with the next one.
    if (event.kind === 'client-tool') return this.announce(recorded, event);
    this.interrupts.set(inputId, { stepId, interrupt: toInterrupt(event) });
    return event.kind === 'approval' ? this.announce(recorded, event) : [];
  }

  private end({ outcome, error, finishReason }: RunEnd): AgUiEvent[] {
    const usage = this.usage.size > 0 ? { usage: [...this.usage.values()] } : {};
    if (outcome === 'failed') {
      const { code = 'RUN_FAILED', message = 'The agent failed.' } = error ?? {};
      return [...this.steps.end(this.interrupts), { type: 'RUN_ERROR', message, code, ...usage }];
    }
    const { threadId, runId } = this.run;
    const result = finishReason ? { result: { finishReason } } : {};
    const open = Array.from(this.interrupts.values(), ({ interrupt }) => interrupt);
    const undecided = open.filter(({ id }) => !this.run.decidedIds?.has(id));
    const how = toOutcome(outcome, undecided, this.run.dialect);
    const finished = { type: 'RUN_FINISHED', threadId, runId, ...how } as const;
    return [...this.steps.end(this.interrupts), { ...finished, ...result, ...usage }];
  }

  private attribute(entry: TranscriptEntry): OfSubagent {
    return 'subagent' in entry ? this.steps.attribute(entry.stepId) : {};
  }

  private snapshot(): AgUiEvent {
    const how = { dialect: this.run.dialect, attribute: (entry: TranscriptEntry) => this.attribute(entry) };
    const own = toAgUiMessages(this.transcript.entries, how);
    return { type: 'MESSAGES_SNAPSHOT', messages: [...this.history, ...this.superseded.messages, ...own] };
  }
}
