import type { RecordedEvent } from './recorded-event.js';
import type {
  InputAnswered,
  InputRequest,
  RunResume,
  RunStart,
  StepReset,
  UsageReport,
} from './run-event.js';
import type {
  ReplacedText,
  RunTimeline,
  StepRow,
  TextRow,
  TimelineRow,
  ToolRow,
  WaitRow,
} from './run-timeline.js';
import { addUsage } from './usage.js';

/**
 * Folds a log into rows along time. A run that continues another may follow it in the same log: they are one answer. Pure; a log that
 * grows is folded again.
 */
export function foldTimeline(log: Iterable<RecordedEvent>): RunTimeline {
  const fold = new TimelineFold();
  for (const recorded of log) fold.add(recorded);
  return fold.timeline;
}

/** A row that is not finished: its place in the tree is its parent's. */
type Draft<Kind extends TimelineRow> = Kind extends TimelineRow
  ? { -readonly [Key in keyof Kind]: Kind[Key] } & { parent?: Draft<StepRow> }
  : never;

/** A part may begin this long before the call that it belongs to seems to: their times are of two clocks' reading. */
const SLACK_MS = 20;

class TimelineFold {
  private readonly rows: Draft<TimelineRow>[] = [];
  private readonly steps = new Map<string, Draft<StepRow>>();
  private readonly texts = new Map<string, Draft<TextRow>>();
  private readonly tools = new Map<string, Draft<ToolRow>>();
  private readonly waits = new Map<string, Draft<WaitRow>>();
  private readonly replaced: ReplacedText[] = [];
  private readonly jumps: number[] = [];
  private end: Pick<RunTimeline, 'outcome' | 'error'> = {};
  private index = -1;
  private from = 0;
  private to = 0;
  private askedAt = 0;
  /** Place of the first event of the last run in the log. */
  private begunAt = 0;
  private attempt = 1;
  private attempts = 1;
  private last: RecordedEvent | undefined;

  get timeline(): RunTimeline {
    const rows = inTreeOrder(this.rows);
    const { from, to, replaced, attempts, jumps } = this;
    return { from, to, rows, replaced, attempts, jumps, ...this.end };
  }

  add(recorded: RecordedEvent): void {
    const { event, at, seq, runId } = recorded;
    this.index += 1;
    if (this.last?.runId === runId && seq > this.last.seq + 1) this.jumps.push(this.index - 1);
    this.apply(recorded);
    if (this.from === 0) this.from = at;
    // Clocks of two owners may differ: a timeline does not go back.
    this.to = Math.max(this.to, at);
    this.last = recorded;
    if (event.type !== 'end') this.end = {};
  }

  private apply({ event, at }: RecordedEvent): void {
    switch (event.type) {
      case 'run-start':
        return this.start(event, at);
      case 'run-resume':
        return this.resume(event, at);
      case 'step-start': {
        const { type: _, parentStepId, ...facts } = event;
        if (this.steps.has(event.stepId)) return;
        const parent = parentStepId === undefined ? undefined : this.steps.get(parentStepId);
        const step = this.open({ kind: 'step', ...facts, from: at, ...(parent && { parent }) });
        this.steps.set(event.stepId, step);
        return;
      }
      case 'step-end':
        this.close(this.steps.get(event.stepId), at);
        this.steps.delete(event.stepId);
        return;
      case 'step-reset':
        return this.supersede(event, at);
      case 'text-start':
      case 'reasoning-start': {
        const { partId, stepId } = event;
        const kind = event.type === 'text-start' ? 'text' : 'reasoning';
        this.texts.set(partId, this.open({ kind, partId, stepId, text: '', from: at }));
        return;
      }
      case 'text-delta':
      case 'reasoning-delta': {
        const text = this.texts.get(event.partId);
        if (text) text.text += event.delta;
        return this.touch(text);
      }
      case 'text-end':
      case 'reasoning-end':
        return this.close(this.texts.get(event.partId), at);
      case 'tool-start': {
        const { type: _, messageId: __, ...call } = event;
        this.tools.set(event.toolCallId, this.open({ kind: 'tool', ...call, from: at }));
        return;
      }
      case 'tool-progress':
        return this.touch(this.tools.get(event.toolCallId));
      case 'tool-end': {
        const { outcome, output, error, durationMs } = event;
        const tool = this.tools.get(event.toolCallId);
        const hasWorked = outcome === 'ok' || outcome === 'awaiting-input';
        this.close(tool, at, hasWorked ? 'done' : 'failed');
        if (tool)
          Object.assign(tool, {
            outcome,
            durationMs,
            ...(output !== undefined && { output }),
            ...(error && { error }),
          });
        return;
      }
      case 'input-request':
        return this.ask(event, at);
      case 'input-answer':
        return this.answer(event);
      case 'usage':
        return this.report(event, at);
      case 'end':
        this.end = { outcome: event.outcome, ...(event.error && { error: event.error }) };
        return;
      case 'file':
      case 'source':
      case 'state':
      case 'checkpoint':
      case 'task':
      case 'message-put':
      case 'custom':
        return;
      default:
        // A newer server may have written this log.
        event satisfies never;
    }
  }

  private start({ queuedMs = 0 }: RunStart, at: number): void {
    this.attempt = 1;
    this.begunAt = this.index;
    this.askedAt = at - queuedMs;
    if (this.from === 0) this.from = this.askedAt;
    if (queuedMs > 0) this.close(this.open({ kind: 'queue', from: this.askedAt }), at);
  }

  private resume({ reason }: RunResume, at: number): void {
    this.attempt += 1;
    this.attempts = Math.max(this.attempts, this.attempt);
    const from = this.last?.at ?? at;
    for (const row of this.rows) if (row.state === 'open') this.close(row, from, 'cut', row.last);
    this.steps.clear();
    this.close(this.open({ kind: 'dead', reason, from: Math.min(from, at) }), at);
  }

  private supersede({ stepId, reason }: StepReset, at: number): void {
    let text = '';
    let { attempt } = this;
    for (const row of this.rows) {
      if (!('stepId' in row) || row.stepId !== stepId || row.replaced || row.first < this.begunAt) continue;
      // A retry is part of its step, which goes on.
      if (row.kind === 'step' && row.state !== 'cut') continue;
      row.replaced = reason;
      if (row.state === 'open') this.close(row, at, 'cut');
      const texts = row.kind === 'model-call' ? row.texts : [row];
      for (const each of texts) if (each.kind === 'text') text += each.text;
      attempt = row.attempt;
    }
    if (text !== '') this.replaced.push({ stepId, reason, attempt, text, at, index: this.index });
  }

  private ask(request: InputRequest, at: number): void {
    const { inputId, kind: asked, stepId } = request;
    const label = 'label' in request ? request.label : 'message' in request ? request.message : asked;
    const parent = this.steps.get(stepId);
    const input = 'input' in request && { input: request.input };
    const wait = this.open({
      kind: 'wait',
      inputId,
      asked,
      label,
      ...input,
      from: at,
      ...(parent && { parent }),
    });
    wait.state = 'waiting';
    this.waits.set(inputId, wait);
  }

  /** The run that begins with the answers was asked for by the last of them. */
  private answer({ inputId, decision, by, input }: InputAnswered): void {
    const wait = this.waits.get(inputId);
    this.close(wait, this.askedAt);
    if (wait) Object.assign(wait, { decision, by, ...(input !== undefined && { edited: input }) });
  }

  private report(report: UsageReport, at: number): void {
    const { stepId, model, durationMs, firstTokenMs, finishReason, failed } = report;
    const texts = this.rows.filter(
      (row): row is Draft<TextRow> =>
        isText(row) &&
        row.to !== undefined &&
        !row.replaced &&
        (stepId === undefined ? row.to === at : row.stepId === stepId) &&
        (durationMs === undefined || row.from >= at - durationMs - SLACK_MS),
    );
    for (const text of texts) this.rows.splice(this.rows.indexOf(text), 1);
    const from = durationMs === undefined ? (texts[0]?.from ?? at) : at - durationMs;
    const firstTokenAt = firstTokenMs === undefined ? texts[0]?.from : from + firstTokenMs;
    const answeringMs = firstTokenAt === undefined ? 0 : at - firstTokenAt;
    const usage = addUsage(undefined, report);
    const parent = this.steps.get(stepId ?? texts[0]?.stepId ?? '');
    const row = this.open({
      kind: 'model-call',
      model,
      usage,
      texts,
      from,
      ...(stepId !== undefined && { stepId }),
      ...(firstTokenAt !== undefined && { firstTokenAt }),
      ...(answeringMs > 0 &&
        usage.outputTokens > 0 && { tokensPerSecond: (usage.outputTokens * 1_000) / answeringMs }),
      ...(finishReason && { finishReason }),
      ...(parent && { parent }),
    });
    row.first = texts[0]?.first ?? this.index;
    this.close(row, at, failed ? 'failed' : 'done');
  }

  private open<Kind extends TimelineRow['kind']>(
    facts: { readonly kind: Kind; readonly from: number } & Record<string, unknown>,
  ): Draft<Extract<TimelineRow, { kind: Kind }>> {
    const stepId = facts['stepId'];
    const parent = facts.kind === 'step' || typeof stepId !== 'string' ? undefined : this.steps.get(stepId);
    const row = {
      id: `${facts.kind}-${this.index}`,
      attempt: this.attempt,
      state: 'open',
      first: this.index,
      last: this.index,
      ...(parent && { parent }),
      ...facts,
    };
    this.rows.push(row as unknown as Draft<TimelineRow>);
    return row as unknown as Draft<Extract<TimelineRow, { kind: Kind }>>;
  }

  private close(
    row: Draft<TimelineRow> | undefined,
    at: number,
    state: TimelineRow['state'] = 'done',
    last = this.index,
  ): void {
    if (row) Object.assign(row, { to: Math.max(row.from, at), state, last });
  }

  private touch(row: Draft<TimelineRow> | undefined): void {
    if (row) row.last = this.index;
  }
}

function isText(row: Draft<TimelineRow>): row is Draft<TextRow> {
  return row.kind === 'text' || row.kind === 'reasoning';
}

/** Each row after its step, those of one step by their beginning. */
function inTreeOrder(rows: readonly Draft<TimelineRow>[]): TimelineRow[] {
  const inside = Map.groupBy(rows, ({ parent }) => parent);
  const list = (parent: Draft<StepRow> | undefined, depth: number): TimelineRow[] =>
    (inside.get(parent) ?? [])
      .toSorted((one, other) => one.from - other.from || one.first - other.first)
      .flatMap((row) => {
        const { parent: _, ...facts } = row;
        return [{ ...facts, depth }, ...(row.kind === 'step' ? list(row, depth + 1) : [])];
      });
  return list(undefined, 0);
}
