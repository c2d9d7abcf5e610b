import type { RequestedApproval } from '../../src/events/requested-input.js';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import type {
  ApprovalRequest,
  RunEvent,
  RunEventType,
  RunOutcome,
  StepStart,
  ToolOutcome,
  ToolStart,
} from '../../src/events/run-event.js';
import type { FileFacts } from '../../src/events/message-part.js';
import { diffJson } from '../../src/events/json-patch.js';
import type { RunState } from '../../src/events/run-state.js';
import { closingEvents, NOTHING_OPEN, trackOpen, type OpenItems } from '../../src/runs/open-items.js';

/** The run that a random run continues. */
export interface Origin {
  readonly resumeOf: string;
  readonly inputs: readonly Pick<RequestedApproval, 'inputId' | 'toolCallId' | 'answer'>[];
  readonly before?: readonly RecordedEvent[];
}

/** Something that may happen next; it does when it can. `pick` says to which of the open things. */
export interface Move {
  readonly kind: (typeof KINDS)[number];
  readonly pick: number;
  readonly words: string;
  readonly data: unknown;
  readonly outcome: ToolOutcome;
}

/** Kinds of moves; frequent ones are listed more often. */
export const KINDS = [
  'step-start',
  'step-start',
  'inner-step-start',
  'step-end',
  'retry',
  'takeover',
  'text-start',
  'text-start',
  'reasoning-start',
  'delta',
  'delta',
  'delta',
  'part-end',
  'file',
  'source',
  'tool-start',
  'tool-start',
  'tool-progress',
  'tool-end',
  'tool-end',
  'usage',
  'state',
  'message-put',
  'checkpoint',
  'task',
  'custom',
  'ask',
] as const;

/** The move that makes each type of event. A type that is added is missing here, and so names itself. */
export const MADE_BY: Readonly<Record<RunEventType, Move['kind'] | 'begin' | 'end'>> = {
  'run-start': 'begin',
  'run-resume': 'takeover',
  'step-start': 'step-start',
  'step-end': 'step-end',
  'step-reset': 'retry',
  'text-start': 'text-start',
  'text-delta': 'delta',
  'text-end': 'part-end',
  'reasoning-start': 'reasoning-start',
  'reasoning-delta': 'delta',
  'reasoning-end': 'part-end',
  file: 'file',
  source: 'source',
  'tool-start': 'tool-start',
  'tool-progress': 'tool-progress',
  'tool-end': 'tool-end',
  'input-request': 'ask',
  'input-answer': 'begin',
  usage: 'usage',
  state: 'state',
  checkpoint: 'checkpoint',
  task: 'task',
  'message-put': 'message-put',
  custom: 'custom',
  end: 'end',
};

export const OUTCOMES: readonly ToolOutcome[] = [
  'ok',
  'error',
  'invalid-input',
  'unknown-tool',
  'denied',
  'timeout',
  'cancelled',
];

const FILES: readonly FileFacts[] = [
  { mediaType: 'image/png', fileId: 'file-1', bytes: 68 },
  { mediaType: 'image/jpeg', url: 'https://example.com/a.jpg', name: 'a.jpg' },
  { mediaType: 'audio/wav', omitted: 'too-large', bytes: 20_000_000 },
];

const USAGE = { inputTokens: 2, outputTokens: 3, totalTokens: 5 };
const ERROR = { code: 'TOOL_FAILED', message: 'The tool failed.', retryable: false };

/** A run that does what it is told as far as it can, and leaves the log that a run of ours would leave. */
export class RandomRun {
  private readonly log: RecordedEvent[] = [];
  private open: OpenItems = NOTHING_OPEN;
  private epoch = 1;
  private made = 0;
  private state: RunState | undefined;
  /** Steps that were taken back and have not begun again, with the calls they made: both keep their ids. */
  private readonly takenBack: StepStart[] = [];
  private readonly callsByStep = new Map<string, string[]>();
  private readonly asksByStep = new Map<string, ApprovalRequest[]>();

  constructor(private readonly origin?: Origin) {
    for (const { event } of origin?.before ?? []) {
      if (event.type === 'input-request') this.beginAgain(event.stepId);
    }
  }

  /** The inputs that wait for a person, once the run has ended. */
  get inputs(): readonly RequestedApproval[] {
    return this.open.inputs.filter((asked) => asked.kind === 'approval');
  }

  play(made: readonly Move[], outcome: RunOutcome): RecordedEvent[] {
    this.begin();
    for (const move of made) for (const event of this.toEvents(move)) this.append(event);
    this.end(outcome);
    return this.log;
  }

  private begin(): void {
    const start = { type: 'run-start', agent: 'random', messageId: 'message' } as const;
    const { resumeOf, inputs = [] } = this.origin ?? {};
    this.append(resumeOf === undefined ? start : { ...start, resumeOf });
    for (const { inputId, answer } of inputs) {
      if (answer)
        this.append({
          type: 'input-answer',
          kind: 'approval',
          inputId,
          decision: answer.decision,
          by: answer.by,
        });
    }
  }

  /** Of the run before this one: a step in which it stopped is not over. */
  private beginAgain(stepId: string): void {
    const asked = this.origin?.inputs.filter(
      (approval) => 'stepId' in approval && approval.stepId === stepId,
    );
    if (!asked?.length || this.callsByStep.has(stepId)) return;
    this.callsByStep.set(
      stepId,
      asked.map(({ toolCallId }) => toolCallId),
    );
    this.takenBack.push({ type: 'step-start', stepId, name: 'work', attempt: 1 });
  }

  private end(wanted: RunOutcome): void {
    const isOpen = this.open.inputs.length > 0;
    const outcome = wanted === 'completed' && isOpen ? 'awaiting-input' : wanted;
    if (outcome === 'awaiting-input' && !isOpen) {
      if (this.open.steps.length === 0) this.append(this.newStep());
      for (const { stepId } of this.open.steps.slice(-1)) this.append(this.ask(stepId));
    }
    for (const event of closingEvents(this.open, this.log.length, 'cancelled')) this.append(event);
    const error = { code: 'RUN_FAILED', message: 'The agent failed.', retryable: false };
    const failed = outcome === 'failed' && { error };
    this.append({ type: 'end', outcome, ...failed, usage: USAGE, durationMs: 7 });
  }

  /** From within a step, which will be closed and not over. A step that begins again asks what it asked before. */
  private ask(stepId: string): ApprovalRequest {
    const again = this.asksByStep.get(stepId)?.shift();
    if (again) return again;
    const toolCallId = this.newId('call');
    const call = { toolCallId, toolName: 'pay', stepId, label: 'Paying', input: { sum: 1 } } as const;
    return { type: 'input-request', kind: 'approval', inputId: `approval-${toolCallId}`, ...call };
  }

  private toEvents({ kind, pick, words, data, outcome }: Move): RunEvent[] {
    const { steps, parts, tools } = this.open;
    const step = chosen(steps, pick);
    const part = chosen(parts, pick);
    const tool = chosen(tools, pick);
    switch (kind) {
      case 'step-start':
        return [this.takenBack.shift() ?? this.newStep()];
      case 'inner-step-start':
        return step ? [this.newInnerStep(step, tool)] : [];
      case 'step-end':
        return step && !this.waits(step.stepId) ? this.leave(step.stepId) : [];
      case 'ask':
        return step ? [this.ask(step.stepId)] : [];
      case 'retry':
        return step ? this.retry(step.stepId) : [];
      case 'takeover':
        return this.takeOver();
      case 'text-start':
      case 'reasoning-start': {
        const partId = this.newId('part');
        return step
          ? [{ type: kind, partId, messageId: 'message', stepId: step.stepId, ...toOwner(step) }]
          : [];
      }
      case 'delta':
        return part ? [{ type: `${part.kind}-delta`, partId: part.partId, delta: words }] : [];
      case 'part-end':
        return part ? [{ type: `${part.kind}-end`, partId: part.partId }] : [];
      case 'file': {
        if (!step) return [];
        const place = { partId: this.newId('part'), messageId: 'message', stepId: step.stepId };
        const inCall = tool?.stepId === step.stepId && { toolCallId: tool.toolCallId };
        return [{ type: kind, ...place, ...inCall, ...toOwner(step), ...FILES[pick % FILES.length]! }];
      }
      case 'source': {
        if (!step) return [];
        const place = { partId: this.newId('part'), messageId: 'message', stepId: step.stepId };
        const url = pick % 2 === 0 && { url: `https://example.com/${pick}` };
        return [{ type: kind, ...place, ...toOwner(step), ...url, title: words }];
      }
      case 'tool-start':
        return step ? [{ ...this.call(step.stepId, data), ...toOwner(step) }] : [];
      case 'tool-progress':
        return tool
          ? [{ type: kind, toolCallId: tool.toolCallId, message: words, fraction: pick / 10, data }]
          : [];
      case 'tool-end': {
        if (!tool) return [];
        const { toolCallId } = tool;
        const decided = this.origin?.inputs.find((approval) => approval.toolCallId === toolCallId)?.answer;
        if (decided?.decision === 'deny')
          return [{ type: kind, toolCallId, outcome: 'denied', error: ERROR, durationMs: pick }];
        const said = outcome === 'ok' ? { ...(data !== undefined && { output: data }) } : { error: ERROR };
        return [{ type: kind, toolCallId, outcome, ...said, durationMs: pick }];
      }
      case 'usage':
        return [{ type: kind, ...USAGE, model: 'random' }];
      case 'message-put':
        return [{ type: 'message-put', messageId: this.newId('said'), text: words, role: 'user' }];
      case 'checkpoint':
        return [{ type: kind, checkpointId: this.newId('state'), step: pick, source: 'loop' }];
      case 'task':
        return [{ type: kind, stepId: 'planned', name: 'work', triggers: [words] }];
      case 'state':
        return this.changeState({ ...this.state, [words]: data ?? null });
      case 'custom':
        return [
          { type: kind, name: `fact ${words}`, data: data ?? null, ...(step && { stepId: step.stepId }) },
        ];
    }
  }

  /** The first change of each owner says all of the state. */
  private changeState(next: RunState): RunEvent[] {
    const patch = this.state
      ? diffJson(this.state, next)
      : [{ op: 'replace', path: '', value: next } as const];
    this.state = next;
    return patch.length > 0 ? [{ type: 'state', patch }] : [];
  }

  private append(event: RunEvent): void {
    const seq = this.log.length + 1;
    const runId = this.origin?.before ? 'next' : 'run';
    this.log.push({ runId, threadId: 'thread', seq, epoch: this.epoch, at: 1_000 + seq, event });
    this.open = trackOpen(this.open, event, 1_000 + seq);
  }

  private newId(kind: string): string {
    // Parts are numbered anew in each run; the ids of calls and steps are unique among all that belong together.
    const whose = this.origin?.before && kind !== 'part' ? 'next-' : '';
    return `${kind}-${whose}${++this.made}`;
  }

  private newStep(): StepStart {
    return { type: 'step-start', stepId: this.newId('step'), name: 'work', attempt: this.epoch };
  }

  /** A step of an agent inside the one whose step it is in, which one of its calls may have called. */
  private newInnerStep(
    outer: OpenItems['steps'][number],
    call: OpenItems['tools'][number] | undefined,
  ): StepStart {
    const { stepId: parentStepId, name, subagent } = outer;
    const toolCallId = call?.stepId === parentStepId ? call.toolCallId : subagent?.toolCallId;
    const path = [...(subagent?.path ?? []), `${name}:${parentStepId}`, ...(call ? [call.toolCallId] : [])];
    const inner = { name: 'helper', path, ...(toolCallId !== undefined && { toolCallId }) };
    return { ...this.newStep(), parentStepId, subagent: inner };
  }

  /** A step that begins again makes the calls that it made before, with the same ids. */
  private call(stepId: string, input: unknown): ToolStart {
    const toolCallId = this.callsByStep.get(stepId)?.shift() ?? this.newId('call');
    const call = { type: 'tool-start', toolCallId, toolName: 'search', label: 'Searching…' } as const;
    return { ...call, stepId, messageId: 'message', ...(input !== undefined && { input }) };
  }

  /** True while the step, or one inside it, waits for a person: it is not over then. */
  private waits(stepId: string): boolean {
    const { inputs, steps } = this.open;
    if (inputs.some((approval) => approval.stepId === stepId)) return true;
    return steps.some((step) => step.parentStepId === stepId && this.waits(step.stepId));
  }

  /** Ends what is inside before the step. */
  private leave(stepId: string): RunEvent[] {
    const inside = this.open.steps.filter(({ parentStepId }) => parentStepId === stepId);
    const within = ({ stepId: home }: { readonly stepId: string }) => home === stepId;
    const { steps, parts, tools } = this.open;
    const own = {
      ...NOTHING_OPEN,
      steps: steps.filter(within),
      parts: parts.filter(within),
      tools: tools.filter(within),
    };
    return [
      ...inside.flatMap((inner) => this.leave(inner.stepId)),
      ...closingEvents(own, this.log.length, 'cancelled'),
    ];
  }

  private retry(stepId: string): RunEvent[] {
    const step = this.open.steps.find((open) => open.stepId === stepId);
    if (!step || this.open.steps.some(({ parentStepId }) => parentStepId === stepId)) return [];
    this.rememberCalls(stepId);
    const reset = { type: 'step-reset', stepId, attempt: this.epoch, reason: 'retry' } as const;
    return [reset, { type: 'step-start', ...step, attempt: this.epoch }];
  }

  private takeOver(): RunEvent[] {
    this.epoch += 1;
    this.state = undefined;
    const { steps } = this.open;
    for (const step of steps) {
      this.rememberCalls(step.stepId);
      // Alone: the step around it may be over when this one begins again.
      const { parentStepId: _, ...again } = step;
      this.takenBack.push({ type: 'step-start', ...again, attempt: this.epoch });
    }
    return [
      { type: 'run-resume', reason: 'takeover' },
      ...steps.map(({ stepId }): RunEvent => ({
        type: 'step-reset',
        stepId,
        attempt: this.epoch,
        reason: 'takeover',
      })),
    ];
  }

  private rememberCalls(stepId: string): void {
    const calls = this.log.flatMap(({ event }) =>
      event.type === 'tool-start' && event.stepId === stepId ? [event.toolCallId] : [],
    );
    this.callsByStep.set(stepId, [...new Set([...calls, ...(this.callsByStep.get(stepId) ?? [])])]);
    this.asksByStep.set(
      stepId,
      this.inputs.flatMap((approval) =>
        approval.stepId === stepId ? [{ type: 'input-request' as const, ...approval }] : [],
      ),
    );
  }
}

function toOwner({ subagent }: Pick<StepStart, 'subagent'>) {
  return subagent ? { subagent } : {};
}

function chosen<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % items.length];
}
