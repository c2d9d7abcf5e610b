import * as fc from 'fast-check';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent, RunOutcome, StepStart, ToolOutcome } from '../events/run-event.js';
import { closingEvents, NOTHING_OPEN, trackOpen, type OpenItems } from '../runs/open-items.js';

/**
 * Any log that a run can leave: side by side and nested steps, parts and tools that interleave, retries, takeovers that take
 * back what was open, approvals, every end. What shrinks is the list of {@link Move}s, so each smaller log is valid too.
 */
export function runLogs({ maxMoves = 40 }: { readonly maxMoves?: number } = {}): fc.Arbitrary<
  RecordedEvent[]
> {
  return fc
    .record({
      moves: fc.array(moves, { maxLength: maxMoves }),
      outcome: fc.constantFrom<RunOutcome[]>('completed', 'failed', 'cancelled', 'awaiting-approval'),
      continues: fc.boolean(),
    })
    .map(({ moves: made, outcome, continues }) => new RandomRun(continues).play(made, outcome));
}

/** Something that may happen next; it does when it can. `pick` says to which of the open things. */
interface Move {
  readonly kind: (typeof KINDS)[number];
  readonly pick: number;
  readonly words: string;
  readonly data: unknown;
  readonly outcome: ToolOutcome;
}

/** What happens often is listed often. */
const KINDS = [
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
  'tool-start',
  'tool-start',
  'tool-progress',
  'tool-end',
  'tool-end',
  'usage',
  'custom',
] as const;

const OUTCOMES: readonly ToolOutcome[] = [
  'ok',
  'error',
  'invalid-input',
  'unknown-tool',
  'denied',
  'timeout',
  'cancelled',
];

const moves: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(...KINDS),
  pick: fc.nat(9),
  words: fc.string({ unit: 'grapheme', maxLength: 6 }),
  data: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
  outcome: fc.constantFrom(...OUTCOMES),
});

const USAGE = { inputTokens: 2, outputTokens: 3, totalTokens: 5 };
const ERROR = { code: 'TOOL_FAILED', message: 'The tool failed.', retryable: false };

class RandomRun {
  private readonly log: RecordedEvent[] = [];
  private open: OpenItems = NOTHING_OPEN;
  private epoch = 1;
  private made = 0;
  /** Steps that were taken back and have not begun again, with the calls they made: both keep their ids. */
  private readonly takenBack: StepStart[] = [];
  private readonly callsOf = new Map<string, string[]>();

  constructor(private readonly continues: boolean) {}

  play(made: readonly Move[], outcome: RunOutcome): RecordedEvent[] {
    this.begin();
    for (const move of made) for (const event of this.eventsOf(move)) this.append(event);
    this.end(outcome);
    return this.log;
  }

  private begin(): void {
    const start = { type: 'run-start', agent: 'random', messageId: 'message' } as const;
    this.append(this.continues ? { ...start, resumeOf: 'earlier-run' } : start);
    if (!this.continues) return;
    this.append({ type: 'approval-answer', approvalId: 'earlier-1', decision: 'approve', by: 'somebody' });
    this.append({ type: 'approval-answer', approvalId: 'earlier-2', decision: 'deny', by: 'somebody' });
  }

  private end(outcome: RunOutcome): void {
    if (outcome === 'awaiting-approval') this.ask();
    for (const event of closingEvents(this.open, this.log.length)) this.append(event);
    const error = { code: 'RUN_FAILED', message: 'The agent failed.', retryable: false };
    const failed = outcome === 'failed' && { error };
    this.append({ type: 'end', outcome, ...failed, usage: USAGE, durationMs: 7 });
  }

  /** From within a step, which is closed and not over. */
  private ask(): void {
    if (this.open.steps.length === 0) this.append(this.newStep());
    const { stepId } = this.open.steps.at(-1) ?? this.newStep();
    const call = { toolCallId: this.newId('call'), toolName: 'pay', stepId, label: 'Paying' } as const;
    this.append({ type: 'approval-request', approvalId: 'approval', ...call, input: { sum: 1 } });
  }

  private eventsOf({ kind, pick, words, data, outcome }: Move): RunEvent[] {
    const { steps, parts, tools } = this.open;
    const step = chosen(steps, pick);
    const part = chosen(parts, pick);
    const tool = chosen(tools, pick);
    switch (kind) {
      case 'step-start':
        return [this.takenBack.shift() ?? this.newStep()];
      case 'inner-step-start':
        return step ? [{ ...this.newStep(), parentStepId: step.stepId }] : [];
      case 'step-end':
        return step ? this.leave(step.stepId) : [];
      case 'retry':
        return step ? this.retry(step.stepId) : [];
      case 'takeover':
        return this.takeOver();
      case 'text-start':
      case 'reasoning-start': {
        const partId = this.newId('part');
        return step ? [{ type: kind, partId, messageId: 'message', stepId: step.stepId }] : [];
      }
      case 'delta':
        return part ? [{ type: `${part.kind}-delta`, partId: part.partId, delta: words }] : [];
      case 'part-end':
        return part ? [{ type: `${part.kind}-end`, partId: part.partId }] : [];
      case 'tool-start':
        return step ? [this.call(step.stepId, data)] : [];
      case 'tool-progress':
        return tool
          ? [{ type: kind, toolCallId: tool.toolCallId, message: words, fraction: pick / 10, data }]
          : [];
      case 'tool-end': {
        if (!tool) return [];
        const said = outcome === 'ok' ? { ...(data !== undefined && { output: data }) } : { error: ERROR };
        return [{ type: kind, toolCallId: tool.toolCallId, outcome, ...said, durationMs: pick }];
      }
      case 'usage':
        return [{ type: kind, ...USAGE, model: 'random' }];
      case 'custom':
        return [{ type: kind, name: `fact ${words}`, data: data ?? null }];
    }
  }

  private append(event: RunEvent): void {
    const seq = this.log.length + 1;
    this.log.push({ runId: 'run', threadId: 'thread', seq, epoch: this.epoch, at: 1_000 + seq, event });
    this.open = trackOpen(this.open, event, 1_000 + seq);
  }

  private newId(kind: string): string {
    return `${kind}-${++this.made}`;
  }

  private newStep(): StepStart {
    return { type: 'step-start', stepId: this.newId('step'), name: 'work', attempt: this.epoch };
  }

  /** A step that begins again makes the calls that it made before, with the same ids. */
  private call(stepId: string, input: unknown): RunEvent {
    const toolCallId = this.callsOf.get(stepId)?.shift() ?? this.newId('call');
    const call = { type: 'tool-start', toolCallId, toolName: 'search', label: 'Searching…' } as const;
    return { ...call, stepId, messageId: 'message', ...(input !== undefined && { input }) };
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
    return [...inside.flatMap((inner) => this.leave(inner.stepId)), ...closingEvents(own, this.log.length)];
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
    this.callsOf.set(stepId, [...new Set(calls)]);
  }
}

function chosen<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % items.length];
}
