import type { RecordedEvent } from '../../events/recorded-event.js';
import type { ApprovalRequest, RunEnd, RunEvent, ToolEnd, ToolStart } from '../../events/run-event.js';
import { addUsage } from '../../events/run-view.js';
import type { AgUiEvent, AgUiInterrupt, AgUiMessage, AgUiUsage } from './ag-ui.events.js';
import { AgUiTranscript } from './ag-ui.transcript.js';

/** What the mapping of a run depends on beside its log; the same for all its readers that speak the same dialect. */
export interface AgUiRun {
  readonly threadId: string;
  /** As the client calls it. */
  readonly runId: string;
  /** The messages from before the run's answer, the question last. */
  readonly history: readonly AgUiMessage[];
  /** `0` is what clients before 1.0 speak: they refuse the outcome `cancelled`. */
  readonly dialect: '1.0' | '0';
}

interface OpenPart {
  readonly kind: 'text' | 'reasoning';
  readonly messageId: string;
  readonly stepId: string;
}

/** The schema of an answer to an interrupt: what the native API takes as a decision. */
const ANSWER_SCHEMA = {
  type: 'object',
  required: ['approved'],
  properties: {
    approved: { type: 'boolean' },
    editedArgs: { type: 'object', description: 'The whole arguments, in place of those that were shown.' },
    reason: { type: 'string' },
  },
};

/** A run's log as AG-UI events. Fed from seq 1, without a gap; what it says is a function of what it was fed. */
export class AgUiMapper {
  private readonly transcript: AgUiTranscript;
  private readonly parts = new Map<string, OpenPart>();
  /** By step: names have to be unique among the open ones. */
  private readonly steps = new Map<string, string>();
  private readonly stepOfTool = new Map<string, string>();
  private readonly interrupts = new Map<string, AgUiInterrupt>();
  private readonly usage = new Map<string, AgUiUsage>();
  /** The assistant message that a tool call belongs to; none once a result stands behind it. */
  private speaker: string | undefined;
  /** Ids of messages, unlike those of parts, are unique in their thread. */
  private idPrefix = '';

  constructor(private readonly run: AgUiRun) {
    this.transcript = new AgUiTranscript(run.history);
  }

  map({ runId, event }: RecordedEvent): AgUiEvent[] {
    this.idPrefix = runId;
    return this.mapEvent(event);
  }

  /**
   * For a client that joins here, with or without earlier messages: all that was said until now, and the start of each
   * thing that is still open. A replay would double the words of a client that has kept its messages.
   */
  catchUp(): AgUiEvent[] {
    const { threadId, runId } = this.run;
    return [
      { type: 'RUN_STARTED', threadId, runId },
      this.snapshot(),
      ...[...this.steps.values()].map((stepName): AgUiEvent => ({ type: 'STEP_STARTED', stepName })),
      ...[...this.parts.values()].flatMap(startOf),
    ];
  }

  private mapEvent(event: RunEvent): AgUiEvent[] {
    switch (event.type) {
      case 'run-start': {
        const { threadId, runId } = this.run;
        return [{ type: 'RUN_STARTED', threadId, runId }];
      }
      case 'run-resume':
        return [];
      case 'step-start':
        return this.enter(event.stepId, event.name);
      case 'step-end':
        return this.leave(event.stepId);
      case 'step-reset':
        return this.supersede(event.stepId);
      case 'text-start':
        return this.open(event.partId, 'text', event.stepId);
      case 'reasoning-start':
        return this.open(event.partId, 'reasoning', event.stepId);
      case 'text-delta':
      case 'reasoning-delta':
        return this.say(event.partId, event.delta);
      case 'text-end':
      case 'reasoning-end':
        return this.close(event.partId);
      case 'tool-start':
        return this.startTool(event);
      case 'tool-progress': {
        const { type: _, ...progress } = event;
        return [{ type: 'CUSTOM', name: 'tool-progress', value: progress }];
      }
      case 'tool-end':
        return this.endTool(event);
      case 'approval-request':
        return this.ask(event);
      case 'approval-answer': {
        const { type: name, ...answer } = event;
        this.interrupts.delete(event.approvalId);
        return [{ type: 'CUSTOM', name, value: answer }];
      }
      case 'usage': {
        const { type: _, model, ...tokens } = event;
        this.usage.set(model, { model, ...addUsage(this.usage.get(model), tokens) });
        return [];
      }
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
  private supersede(stepId: string): AgUiEvent[] {
    const open = [...this.parts].filter(([, part]) => part.stepId === stepId);
    const closing = open.flatMap(([partId]) => this.close(partId));
    const leaving = this.leave(stepId);
    const changed = this.transcript.forget(stepId);
    this.speaker = undefined;
    return [...closing, ...leaving, ...(changed ? [this.snapshot()] : [])];
  }

  private open(partId: string, kind: OpenPart['kind'], stepId: string): AgUiEvent[] {
    const part: OpenPart = { kind, messageId: this.idOf(partId), stepId };
    this.parts.set(partId, part);
    if (kind === 'text') {
      this.transcript.startText(part.messageId, stepId);
      this.speaker = part.messageId;
    } else {
      this.transcript.startReasoning(part.messageId, stepId);
    }
    return startOf(part);
  }

  private say(partId: string, delta: string): AgUiEvent[] {
    const part = this.parts.get(partId);
    if (!part || delta === '') return [];
    const { kind, messageId } = part;
    this.transcript.say(messageId, delta);
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

  private startTool({ toolCallId, toolName, stepId, label, input }: ToolStart): AgUiEvent[] {
    this.stepOfTool.set(toolCallId, stepId);
    // The label is for people, and AG-UI has no place for it at the call: it is the call's first progress.
    const progress = { type: 'CUSTOM', name: 'tool-progress', value: { toolCallId, message: label } } as const;
    return [...this.announce({ toolCallId, toolName, stepId, input }), progress];
  }

  /** A call that was announced before, with the approval that it waited for, is not announced again. */
  private announce(call: {
    toolCallId: string;
    toolName: string;
    stepId: string;
    input: unknown;
  }): AgUiEvent[] {
    const { toolCallId, toolName, stepId, input } = call;
    if (this.transcript.hasCall(toolCallId)) return [];
    // Clients parse the arguments, also those of a tool that hides them.
    const args = JSON.stringify(input ?? {});
    this.speaker ??= this.idOf(`calls-${toolCallId}`);
    const parentMessageId = this.speaker;
    this.transcript.call(parentMessageId, { toolCallId, toolName, arguments: args, stepId });
    return [
      { type: 'TOOL_CALL_START', toolCallId, toolCallName: toolName, parentMessageId },
      { type: 'TOOL_CALL_ARGS', toolCallId, delta: args },
      { type: 'TOOL_CALL_END', toolCallId },
    ];
  }

  private endTool(event: ToolEnd): AgUiEvent[] {
    const { toolCallId } = event;
    const stepId = this.stepOfTool.get(toolCallId);
    if (stepId === undefined) return [];
    const messageId = this.idOf(`result-${toolCallId}`);
    const content = contentOf(event);
    this.stepOfTool.delete(toolCallId);
    this.speaker = undefined;
    this.transcript.result({ id: messageId, toolCallId, stepId, content });
    return [{ type: 'TOOL_CALL_RESULT', messageId, toolCallId, content, role: 'tool' }];
  }

  private ask({ approvalId, toolCallId, toolName, label, input, expiresAt }: ApprovalRequest): AgUiEvent[] {
    this.interrupts.set(approvalId, {
      id: approvalId,
      reason: 'tool_call',
      message: label,
      toolCallId,
      responseSchema: ANSWER_SCHEMA,
      ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    });
    // No step is asking: the call outlives them all.
    return this.announce({ toolCallId, toolName, stepId: '', input });
  }

  private end({ outcome, error }: RunEnd): AgUiEvent[] {
    const closing = [
      ...[...this.parts.keys()].flatMap((partId) => this.close(partId)),
      ...[...this.steps.keys()].toReversed().flatMap((stepId) => this.leave(stepId)),
    ];
    const usage = this.usage.size > 0 ? { usage: [...this.usage.values()] } : {};
    if (outcome === 'failed') {
      const { code = 'RUN_FAILED', message = 'The agent failed.' } = error ?? {};
      return [...closing, { type: 'RUN_ERROR', message, code, ...usage }];
    }
    const { threadId, runId } = this.run;
    return [...closing, { type: 'RUN_FINISHED', threadId, runId, ...this.outcomeOf(outcome), ...usage }];
  }

  /** No outcome is a success. */
  private outcomeOf(outcome: Exclude<RunEnd['outcome'], 'failed'>): Pick<
    Extract<AgUiEvent, { type: 'RUN_FINISHED' }>,
    'outcome'
  > {
    const interrupts = [...this.interrupts.values()];
    if (outcome === 'awaiting-approval' && interrupts.length > 0)
      return { outcome: { type: 'interrupt', interrupts } };
    if (outcome === 'cancelled' && this.run.dialect === '1.0') return { outcome: { type: 'cancelled' } };
    return {};
  }

  private snapshot(): AgUiEvent {
    return { type: 'MESSAGES_SNAPSHOT', messages: this.transcript.messages };
  }

  private idOf(name: string): string {
    return `${this.idPrefix}-${name}`;
  }
}

function startOf({ kind, messageId }: OpenPart): AgUiEvent[] {
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' }];
  return [
    { type: 'REASONING_START', messageId },
    { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' },
  ];
}

/** What a tool said, as text; hidden output is empty. */
function contentOf({ outcome, output, error }: ToolEnd): string {
  if (outcome !== 'ok') return error?.message ?? `The call ended: ${outcome}.`;
  if (output === undefined) return '';
  return typeof output === 'string' ? output : JSON.stringify(output);
}
