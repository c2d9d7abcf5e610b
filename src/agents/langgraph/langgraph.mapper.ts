import { customEvent } from './custom-event.js';
import type { FinishReason, RunEvent, StepStart, Usage } from '../../events/run-event.js';

/** A node's place in a graph, as LangGraph writes it: `node:taskId`, and `outer:taskId|inner:taskId` inside a subgraph. */
export type Namespace = string;

/** A fact that a running graph reports, in the order of reports. A `modelCallId` is unique in its run. */
export type GraphFact =
  | { readonly kind: 'step-started'; readonly namespace: Namespace }
  | { readonly kind: 'step-finished'; readonly stepId: string }
  /** It has thrown; a graph with a retry policy runs it again. */
  | { readonly kind: 'step-failed'; readonly stepId: string }
  | {
      readonly kind: 'token';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly words: TextChunk;
    }
  | {
      readonly kind: 'model-finished';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly usage?: ModelUsage;
    }
  | { readonly kind: 'model-failed'; readonly modelCallId: string }
  /** Words that were held back until the step was over, and may be said now. */
  | { readonly kind: 'said-late'; readonly stepId: string; readonly words: TextChunk }
  /** A message of the step was replaced or removed; `kept` is what of its words stands. */
  | { readonly kind: 'taken-back'; readonly stepId: string; readonly kept: readonly TextChunk[] }
  | { readonly kind: 'written'; readonly value: unknown };

/** The text for people in a chunk of a model's answer. */
export interface TextChunk {
  readonly text: string;
  readonly reasoning: string;
}

export interface ModelUsage extends Usage {
  readonly model: string;
  readonly finishReason?: FinishReason;
}

interface OpenPart {
  readonly kind: 'text' | 'reasoning';
  readonly partId: string;
  readonly stepId: string;
}

interface Step {
  readonly started: StepStart;
  ended: boolean;
  spoke: boolean;
  /** It failed, or a model call in it, after something was said: what comes next in this step supersedes that. */
  superseded: boolean;
}

/**
 * Turns what a graph tells into the canonical events of a run. Pure: no clock, no I/O; the same facts give the same events.
 *
 * LangGraph tells of a task's start through its stream and of its tokens through callbacks, and the two may overtake each
 * other: a step starts with whatever is heard of it first.
 */
export class LangGraphMapper {
  private readonly steps = new Map<string, Step>();
  private readonly recalled = new Map<string, StepStart>();
  private readonly openParts = new Map<string, OpenPart>();
  private parts = 0;

  constructor(private readonly run: { readonly messageId: string; readonly attempt: number }) {}

  map(fact: GraphFact): RunEvent[] {
    switch (fact.kind) {
      case 'step-started':
        return this.enter(fact.namespace);
      case 'step-finished':
        return this.leave(fact.stepId);
      case 'step-failed':
        return this.fail(fact.stepId);
      case 'token':
        return this.mapText(fact.modelCallId, fact.namespace, fact.words);
      case 'model-finished': {
        const { modelCallId, namespace, usage } = fact;
        const report: RunEvent[] = usage ? [{ type: 'usage', ...usage }] : [];
        return [...this.enter(namespace), ...this.closePart(modelCallId), ...report];
      }
      case 'model-failed':
        return this.breakOff(fact.modelCallId);
      case 'said-late':
        return this.sayLate(fact.stepId, [fact.words]);
      case 'taken-back':
        return this.takeBack(fact.stepId, fact.kept);
      case 'written':
        return [customEvent(fact.value)];
      default:
        return fact satisfies never;
    }
  }

  /** A step that an earlier owner of the run has ended, as that owner began it. */
  recall(started: StepStart): void {
    this.recalled.set(started.stepId, started);
  }

  /** True between a step's `step-start` and its `step-end`. */
  isUnderWay(stepId: string): boolean {
    return this.steps.get(stepId)?.ended === false;
  }

  /** The namespace of a step that has begun. */
  findNamespace(stepId: string): Namespace {
    const { name, parentStepId } = this.steps.get(stepId)?.started ?? { name: '' };
    const here = `${name}:${stepId}`;
    return parentStepId === undefined ? here : `${this.findNamespace(parentStepId)}|${here}`;
  }

  /** The `step-start`s of a namespace that were not said yet: the outer step's before the inner one's. */
  private enter(namespace: Namespace): RunEvent[] {
    if (this.isOver(namespace)) return [];
    const events: RunEvent[] = [];
    let parentStepId: string | undefined;
    for (const { name, stepId, inside } of listSteps(namespace)) {
      if (!this.steps.has(stepId)) {
        if (inside !== undefined) parentStepId = this.findOpen(inside, parentStepId) ?? parentStepId;
        const { attempt } = this.run;
        const started: StepStart = {
          type: 'step-start',
          stepId,
          name,
          attempt,
          ...(parentStepId && { parentStepId }),
        };
        this.steps.set(stepId, { started, ended: false, spoke: false, superseded: false });
        events.push(started);
      }
      parentStepId = stepId;
    }
    return events;
  }

  /** The open step of a node, right inside another step or at the top. */
  private findOpen(name: string, parentStepId: string | undefined): string | undefined {
    const open = [...this.steps.values()].findLast(
      ({ started, ended }) => !ended && started.name === name && started.parentStepId === parentStepId,
    );
    return open?.started.stepId;
  }

  private leave(stepId: string): RunEvent[] {
    const step = this.steps.get(stepId);
    if (!step || step.ended) return [];
    step.ended = true;
    const inner = [...this.steps.values()].filter(({ started }) => started.parentStepId === stepId);
    return [
      ...inner.flatMap(({ started }) => this.leave(started.stepId)),
      ...this.closeParts(stepId),
      { ...step.started, type: 'step-end' },
    ];
  }

  private fail(stepId: string): RunEvent[] {
    const step = this.steps.get(stepId);
    if (step?.spoke) step.superseded = true;
    return this.closeParts(stepId);
  }

  private mapText(modelCallId: string, namespace: Namespace, { text, reasoning }: TextChunk): RunEvent[] {
    if (text === '' && reasoning === '') return [];
    const open = this.openParts.get(modelCallId);
    // The ordinary token, without a detour.
    if (open?.kind === 'text' && reasoning === '')
      return [{ type: 'text-delta', partId: open.partId, delta: text }];
    if (this.isOver(namespace)) return [];
    return [
      ...this.enter(namespace),
      ...this.supersede(getStepId(namespace)),
      ...(reasoning === '' ? [] : this.mapDelta('reasoning', modelCallId, namespace, reasoning)),
      ...(text === '' ? [] : this.mapDelta('text', modelCallId, namespace, text)),
    ];
  }

  private mapDelta(
    kind: OpenPart['kind'],
    modelCallId: string,
    namespace: Namespace,
    delta: string,
  ): RunEvent[] {
    return this.sayIn(getStepId(namespace), kind, modelCallId, delta);
  }

  private sayIn(stepId: string, kind: OpenPart['kind'], modelCallId: string, delta: string): RunEvent[] {
    const open = this.openParts.get(modelCallId);
    if (open?.kind === kind) return [{ type: `${kind}-delta`, partId: open.partId, delta }];
    const { messageId, attempt } = this.run;
    const part: OpenPart = { kind, partId: `p${attempt}-${++this.parts}`, stepId };
    const closing = this.closePart(modelCallId);
    this.openParts.set(modelCallId, part);
    const step = this.steps.get(part.stepId);
    if (step) step.spoke = true;
    const { partId } = part;
    return [
      ...closing,
      { type: `${kind}-start`, partId, messageId, stepId },
      { type: `${kind}-delta`, partId, delta },
    ];
  }

  private closePart(modelCallId: string): RunEvent[] {
    const open = this.openParts.get(modelCallId);
    this.openParts.delete(modelCallId);
    return open ? [{ type: `${open.kind}-end`, partId: open.partId }] : [];
  }

  private closeParts(stepId: string): RunEvent[] {
    const unclosed = [...this.openParts].filter(([, part]) => part.stepId === stepId);
    return unclosed.flatMap(([modelCallId]) => this.closePart(modelCallId));
  }

  private breakOff(modelCallId: string): RunEvent[] {
    const open = this.openParts.get(modelCallId);
    const closing = this.closePart(modelCallId);
    const step = open && this.steps.get(open.stepId);
    // Not while another model speaks in the same step: its words would go as well.
    const speaksAlone = ![...this.openParts.values()].some(({ stepId }) => stepId === open?.stepId);
    if (step && speaksAlone) step.superseded = true;
    return closing;
  }

  private takeBack(stepId: string, kept: readonly TextChunk[]): RunEvent[] {
    const { attempt } = this.run;
    return [
      ...this.closeParts(stepId),
      { type: 'step-reset', stepId, attempt, reason: 'replaced' },
      ...this.sayLate(stepId, kept, { begins: true }),
    ];
  }

  /** Says something in a step, which begins again for it and ends when it is over. */
  private sayLate(stepId: string, words: readonly TextChunk[], { begins = false } = {}): RunEvent[] {
    const step = this.steps.get(stepId);
    const started = step?.started ?? this.recalled.get(stepId);
    if (!started) return [];
    const isOver = step?.ended ?? true;
    return [
      ...(isOver || begins ? [started] : []),
      ...words.flatMap(({ text, reasoning }, index) => {
        const modelCallId = `late-${stepId}-${index}`;
        return [
          ...(reasoning === '' ? [] : this.sayIn(stepId, 'reasoning', modelCallId, reasoning)),
          ...(text === '' ? [] : this.sayIn(stepId, 'text', modelCallId, text)),
          ...this.closePart(modelCallId),
        ];
      }),
      ...(isOver ? [{ ...started, type: 'step-end' } as const] : []),
    ];
  }

  /** Something that outlived its step, such as a model call that was not awaited: its output no longer belongs to anything. */
  private isOver(namespace: Namespace): boolean {
    return listSteps(namespace).some(({ stepId }) => this.steps.get(stepId)?.ended);
  }

  private supersede(stepId: string): RunEvent[] {
    const step = this.steps.get(stepId);
    if (!step?.superseded) return [];
    step.superseded = false;
    return [{ type: 'step-reset', stepId, attempt: this.run.attempt, reason: 'retry' }, step.started];
  }
}

/** The task id of the innermost step: LangGraph's own, which is the same when a node is run again. */
export function getStepId(namespace: Namespace): string {
  return listSteps(namespace).at(-1)?.stepId ?? '';
}

/** A step as a namespace names it. */
interface NamedStep {
  readonly name: string;
  readonly stepId: string;
  /** The node around it, of which the namespace has only the name. */
  readonly inside?: string;
}

/**
 * The steps of a namespace, the outermost first. A segment without a task is none: `1` counts the calls of subgraphs in a node, and a subgraph that keeps
 * its state over turns is there by its node's name. The tasks in them have ids of their own.
 */
export function listSteps(namespace: Namespace): readonly NamedStep[] {
  const steps: NamedStep[] = [];
  let inside: string | undefined;
  for (const segment of namespace === '' ? [] : namespace.split('|')) {
    const colon = segment.lastIndexOf(':');
    if (colon < 0) {
      inside = segment;
      continue;
    }
    const step = { name: segment.slice(0, colon), stepId: segment.slice(colon + 1) };
    steps.push(inside === undefined ? step : { ...step, inside });
    inside = undefined;
  }
  return steps;
}
