import type { RecordedEvent } from '../../events/recorded-event.js';
import type {
  ApprovalRequest,
  ClientToolRequest,
  InputRequest,
  RunEnd,
  TextStart,
  ReasoningStart,
  ToolEnd,
  ToolStart,
} from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import { addUsage } from '../../events/usage.js';
import { toContent, toMessageId, toResultId } from '../transcript/transcript-entries.js';
import { Transcript } from '../transcript/transcript.js';
import type { AgUiEvent, AgUiInterrupt, AgUiMessage, AgUiOutcome, AgUiUsage } from './ag-ui-events.js';
import { toInterrupt } from './ag-ui-interrupts.js';
import { toAgUiMessage, toArguments } from './ag-ui-messages.js';
import { toStateEvents } from './ag-ui-state.js';

/** The facts beside its log that the mapping of a run depends on; the same for all readers of one dialect. */
export interface AgUiRun {
  readonly threadId: string;
  /** As the client calls it. */
  readonly runId: string;
  /** The messages from before the run, the question last; or, of a run that goes on after approvals, what was said behind it. */
  readonly history: readonly AgUiMessage[];
  /** Events of the runs before this one that belong to its message, if it continues them after approvals. Default: nothing. */
  readonly earlier?: readonly RecordedEvent[];
  /** The state of the thread before the run. Default: none. */
  readonly state?: RunState | undefined;
  /** Ids of inputs that were answered elsewhere while others are missing. Default: nothing. */
  readonly decidedIds?: ReadonlySet<string>;
  /** `0` is what clients before 1.0 speak: they refuse the outcome `cancelled`. */
  readonly dialect: '1.0' | '0';
}

interface OpenPart {
  readonly kind: 'text' | 'reasoning';
  readonly messageId: string;
  readonly stepId: string;
}

/** A run's log as AG-UI events. Fed from seq 1, without a gap; what it says is a function of what it was fed. */
export class AgUiMapper {
  private readonly transcript = new Transcript();
  /** The messages in front of those that the transcript has. */
  private readonly history: readonly AgUiMessage[];
  /** The client has results of its own making, for calls that were not made: CopilotKit keeps a person's answer as one. */
  private readonly hasAnswersAsResults: boolean;
  private readonly parts = new Map<string, OpenPart>();
  /** By step: names have to be unique among the open ones. */
  private readonly steps = new Map<string, string>();
  /** Reasoning that was superseded. A client keeps the reasoning that a snapshot leaves out, and has to be told that it is empty. */
  private readonly lostReasoning: AgUiMessage[] = [];
  /** With the step that asks: what is asked in one that is made again is asked again. */
  private readonly interrupts = new Map<
    string,
    { readonly stepId: string; readonly interrupt: AgUiInterrupt }
  >();
  private readonly usage = new Map<string, AgUiUsage>();

  constructor(private readonly run: AgUiRun) {
    const { history, earlier = [], state } = run;
    this.transcript.state = state;
    for (const recorded of earlier) this.transcript.apply(recorded);
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
        return this.enter(event.stepId, event.name);
      case 'step-end':
        return this.leave(event.stepId);
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
        const { model } = event;
        this.usage.set(model, { model, ...addUsage(this.usage.get(model), event) });
        return [];
      }
      case 'state':
        this.transcript.apply(recorded);
        return toStateEvents(this.transcript.state, event);
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
      ...toStateEvents(this.transcript.state),
      ...[...this.steps.values()].map((stepName): AgUiEvent => ({ type: 'STEP_STARTED', stepName })),
      ...[...this.parts.values()].flatMap(startPart),
    ];
  }

  private started(): AgUiEvent {
    const { threadId, runId } = this.run;
    return { type: 'RUN_STARTED', threadId, runId };
  }

  private enter(stepId: string, name: string): AgUiEvent[] {
    const taken = [...this.steps.values()].includes(name);
    const stepName = taken ? `${name} ${stepId}` : name;
    this.steps.set(stepId, stepName);
    return [{ type: 'STEP_STARTED', stepName }];
  }

  private leave(stepId: string): AgUiEvent[] {
    const stepName = this.steps.get(stepId);
    this.steps.delete(stepId);
    return stepName === undefined ? [] : [{ type: 'STEP_FINISHED', stepName }];
  }

  /** AG-UI cannot take back a message; it can say what all messages are. */
  private supersede(recorded: RecordedEvent, stepId: string): AgUiEvent[] {
    const open = [...this.parts].filter(([, part]) => part.stepId === stepId);
    const closing = open.flatMap(([partId]) => this.close(partId));
    for (const entry of this.transcript.entries) {
      if (entry.kind === 'reasoning' && entry.stepId === stepId)
        this.lostReasoning.push(toAgUiMessage({ ...entry, text: '' }));
    }
    for (const [inputId, asked] of this.interrupts)
      if (asked.stepId === stepId) this.interrupts.delete(inputId);
    this.transcript.apply(recorded);
    return [...closing, ...this.leave(stepId), this.snapshot()];
  }

  private open(
    recorded: RecordedEvent,
    { partId, stepId }: TextStart | ReasoningStart,
    kind: OpenPart['kind'],
  ): AgUiEvent[] {
    const part: OpenPart = { kind, messageId: toMessageId(recorded.runId, partId), stepId };
    this.transcript.apply(recorded);
    this.parts.set(partId, part);
    return startPart(part);
  }

  private appendText(recorded: RecordedEvent, { partId, delta }: Delta): AgUiEvent[] {
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
    if (!part) return [];
    const { kind, messageId } = part;
    if (kind === 'text') return [{ type: 'TEXT_MESSAGE_END', messageId }];
    return [
      { type: 'REASONING_MESSAGE_END', messageId },
      { type: 'REASONING_END', messageId },
    ];
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
    const parentMessageId = this.transcript.findCaller(toolCallId)?.id ?? toolCallId;
    return [
      { type: 'TOOL_CALL_START', toolCallId, toolCallName: toolName, parentMessageId },
      { type: 'TOOL_CALL_ARGS', toolCallId, delta: toArguments(input) },
      { type: 'TOOL_CALL_END', toolCallId },
    ];
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
      return [{ type: 'RUN_ERROR', message, code, ...usage }];
    }
    const { threadId, runId } = this.run;
    const result = finishReason ? { result: { finishReason } } : {};
    return [{ type: 'RUN_FINISHED', threadId, runId, ...this.toOutcome(outcome), ...result, ...usage }];
  }

  /** No outcome is a success. */
  private toOutcome(outcome: Exclude<RunEnd['outcome'], 'failed'>): { readonly outcome?: AgUiOutcome } {
    const interrupts = Array.from(this.interrupts.values(), ({ interrupt }) => interrupt).filter(
      ({ id }) => !this.run.decidedIds?.has(id),
    );
    if (outcome === 'awaiting-input' && interrupts.length > 0)
      return { outcome: { type: 'interrupt', interrupts } };
    if (outcome === 'cancelled' && this.run.dialect === '1.0') return { outcome: { type: 'cancelled' } };
    return {};
  }

  private snapshot(): AgUiEvent {
    const own = this.transcript.entries.map(toAgUiMessage);
    return { type: 'MESSAGES_SNAPSHOT', messages: [...this.history, ...this.lostReasoning, ...own] };
  }
}

type Delta = { readonly partId: string; readonly delta: string };

function startPart({ kind, messageId }: OpenPart): AgUiEvent[] {
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' }];
  return [
    { type: 'REASONING_START', messageId },
    { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' },
  ];
}
