import type { RunEvent, StepStart } from '../../events/run-event.js';
import type { Subagent } from '../../events/subagent.js';
import { toCustomEvent } from './custom-event.js';
import type { GraphFact, ModelUsage, Namespace, StepWork, TextChunk } from './graph-fact.js';
import type { MessagePart } from './message-parts.js';
import { isUnsaid } from './message-shape.js';
import { getStepId, listSteps } from './named-steps.js';
import { toPartEvent } from './part-events.js';
import { Subagents } from './subagents.js';

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
  private readonly subagents = new Subagents();
  private parts = 0;

  constructor(private readonly run: { readonly messageId: string; readonly attempt: number }) {}

  map(fact: GraphFact): RunEvent[] {
    switch (fact.kind) {
      case 'step-started':
        return this.enter(fact.namespace, fact.work);
      case 'step-finished':
        return this.leave(fact.stepId);
      case 'step-failed':
        return this.fail(fact.stepId);
      case 'token':
        return this.mapText(fact.modelCallId, fact.namespace, fact.words);
      case 'model-finished': {
        const { modelCallId, namespace, usage } = fact;
        return [...this.enter(namespace), ...this.closePart(modelCallId), ...report(namespace, usage)];
      }
      case 'model-failed':
        return [...this.breakOff(fact.modelCallId), ...report(fact.namespace, fact.usage)];
      case 'said-late':
        return this.sayLate(fact.stepId, [fact.words]);
      case 'taken-back':
        return this.takeBack(fact.stepId, fact.kept);
      case 'written':
        return this.write(fact.namespace, fact.value);
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

  /** True for a step of the graph itself, and of none inside it. */
  isAtTop(stepId: string): boolean {
    const step = this.steps.get(stepId);
    return step !== undefined && step.started.parentStepId === undefined;
  }

  /** The namespace of a step that has begun. */
  findNamespace(stepId: string): Namespace {
    const { name, parentStepId } = this.steps.get(stepId)?.started ?? { name: '' };
    const here = `${name}:${stepId}`;
    return parentStepId === undefined ? here : `${this.findNamespace(parentStepId)}|${here}`;
  }

  /** The `step-start`s of a namespace that were not said yet: the outer step's before the inner one's. */
  private enter(namespace: Namespace, work?: StepWork): RunEvent[] {
    if (this.isOver(namespace)) return [];
    const events: RunEvent[] = [];
    let parentStepId: string | undefined;
    const steps = listSteps(namespace);
    for (const [index, { name, stepId, inside }] of steps.entries()) {
      if (!this.steps.has(stepId)) {
        if (inside !== undefined) parentStepId = this.findOpen(inside, parentStepId) ?? parentStepId;
        const { attempt } = this.run;
        const subagent = this.subagents.enter(
          { stepId, name, inside, parentStepId },
          index === steps.length - 1 ? work : {},
        );
        const started: StepStart = {
          type: 'step-start',
          stepId,
          name,
          attempt,
          ...(parentStepId && { parentStepId }),
          ...(subagent && { subagent }),
        };
        this.steps.set(stepId, { started, ended: false, spoke: false, superseded: false });
        events.push(started);
      }
      parentStepId = stepId;
    }
    return events;
  }

  /** The agent whose step it is; undefined for the run's own. */
  findSubagent(stepId: string): Subagent | undefined {
    return this.steps.get(stepId)?.started.subagent;
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

  private mapText(modelCallId: string, namespace: Namespace, words: TextChunk): RunEvent[] {
    const { text, reasoning, parts = [] } = words;
    if (isUnsaid(words)) return [];
    const open = this.openParts.get(modelCallId);
    // The ordinary token, without a detour.
    if (open?.kind === 'text' && reasoning === '' && parts.length === 0)
      return [{ type: 'text-delta', partId: open.partId, delta: text }];
    if (this.isOver(namespace)) return [];
    return [
      ...this.enter(namespace),
      ...this.supersede(getStepId(namespace)),
      ...(reasoning === '' ? [] : this.mapDelta('reasoning', modelCallId, namespace, reasoning)),
      ...(text === '' ? [] : this.mapDelta('text', modelCallId, namespace, text)),
      ...this.sayParts(getStepId(namespace), modelCallId, parts),
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
    const { subagent } = step?.started ?? this.recalled.get(stepId) ?? {};
    return [
      ...closing,
      { type: `${kind}-start`, partId, messageId, stepId, ...(subagent && { subagent }) },
      { type: `${kind}-delta`, partId, delta },
    ];
  }

  /** The sources of a text come before its end, and the files of its message after it. */
  private sayParts(stepId: string, modelCallId: string, parts: readonly MessagePart[]): RunEvent[] {
    if (parts.length === 0) return [];
    const { messageId, attempt } = this.run;
    const step = this.steps.get(stepId);
    if (step) step.spoke = true;
    const { subagent } = step?.started ?? this.recalled.get(stepId) ?? {};
    const toEvent = (part: MessagePart) => {
      const partId = `p${attempt}-${++this.parts}`;
      return toPartEvent(part, { partId, messageId, stepId, ...(subagent && { subagent }) });
    };
    const files = parts.filter(({ kind }) => kind === 'file');
    return [
      ...parts.filter(({ kind }) => kind === 'source').map(toEvent),
      ...(files.length > 0 ? this.closePart(modelCallId) : []),
      ...files.map(toEvent),
    ];
  }

  /** Maps what a node writes. Output that comes after the end of its step belongs to no step. */
  private write(namespace: Namespace, value: unknown): RunEvent[] {
    const stepId = getStepId(namespace);
    if (stepId === '' || this.isOver(namespace)) return [toCustomEvent(value)];
    const before = [...this.enter(namespace), ...this.supersede(stepId)];
    this.steps.get(stepId)!.spoke = true;
    return [...before, toCustomEvent(value, stepId)];
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
    if (this.steps.get(stepId)?.spoke === false) return [];
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
      ...words.flatMap(({ text, reasoning, parts = [] }, index) => {
        const modelCallId = `late-${stepId}-${index}`;
        return [
          ...(reasoning === '' ? [] : this.sayIn(stepId, 'reasoning', modelCallId, reasoning)),
          ...(text === '' ? [] : this.sayIn(stepId, 'text', modelCallId, text)),
          ...this.sayParts(stepId, modelCallId, parts),
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

function report(namespace: Namespace, usage: ModelUsage | undefined): RunEvent[] {
  const stepId = getStepId(namespace);
  return usage ? [{ type: 'usage', ...usage, ...(stepId && { stepId }) }] : [];
}
