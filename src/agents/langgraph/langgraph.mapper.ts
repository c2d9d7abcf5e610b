import type { RunEvent, StepStart, Usage } from '../../events/run-event.js';

/** A node's place in a graph, as LangGraph writes it: `node:taskId`, and `outer:taskId|inner:taskId` inside a subgraph. */
export type Namespace = string;

/** What a running graph tells, in the order in which it tells it. A `modelCallId` is unique in its run. */
export type GraphFact =
  | { readonly kind: 'step-started'; readonly namespace: Namespace }
  | { readonly kind: 'step-finished'; readonly stepId: string }
  /** It has thrown; a graph with a retry policy runs it again. */
  | { readonly kind: 'step-failed'; readonly stepId: string }
  | {
      readonly kind: 'token';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly words: Words;
    }
  | {
      readonly kind: 'model-finished';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly usage?: ModelUsage;
    }
  | { readonly kind: 'model-failed'; readonly modelCallId: string }
  | { readonly kind: 'written'; readonly value: unknown };

/** What a chunk of a model's answer holds for people. */
export interface Words {
  readonly text: string;
  readonly reasoning: string;
}

export interface ModelUsage extends Usage {
  readonly model: string;
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
        return this.speak(fact.modelCallId, fact.namespace, fact.words);
      case 'model-finished': {
        const { modelCallId, namespace, usage } = fact;
        const report: RunEvent[] = usage ? [{ type: 'usage', ...usage }] : [];
        return [...this.enter(namespace), ...this.closePart(modelCallId), ...report];
      }
      case 'model-failed':
        return this.breakOff(fact.modelCallId);
      case 'written':
        return [customEvent(fact.value)];
      default:
        return fact satisfies never;
    }
  }

  /** True between a step's `step-start` and its `step-end`. */
  isUnderWay(stepId: string): boolean {
    return this.steps.get(stepId)?.ended === false;
  }

  /** The `step-start`s of a namespace that were not said yet: the outer step's before the inner one's. */
  private enter(namespace: Namespace): RunEvent[] {
    if (this.isOver(namespace)) return [];
    const events: RunEvent[] = [];
    let parentStepId: string | undefined;
    for (const { name, stepId } of stepsOf(namespace)) {
      if (!this.steps.has(stepId)) {
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

  private speak(modelCallId: string, namespace: Namespace, { text, reasoning }: Words): RunEvent[] {
    if (text === '' && reasoning === '') return [];
    const open = this.openParts.get(modelCallId);
    // The ordinary token, without a detour.
    if (open?.kind === 'text' && reasoning === '')
      return [{ type: 'text-delta', partId: open.partId, delta: text }];
    if (this.isOver(namespace)) return [];
    return [
      ...this.enter(namespace),
      ...this.supersede(stepIdOf(namespace)),
      ...(reasoning === '' ? [] : this.say('reasoning', modelCallId, namespace, reasoning)),
      ...(text === '' ? [] : this.say('text', modelCallId, namespace, text)),
    ];
  }

  private say(kind: OpenPart['kind'], modelCallId: string, namespace: Namespace, delta: string): RunEvent[] {
    const open = this.openParts.get(modelCallId);
    if (open?.kind === kind) return [{ type: `${kind}-delta`, partId: open.partId, delta }];
    const { messageId, attempt } = this.run;
    const part: OpenPart = { kind, partId: `p${attempt}-${++this.parts}`, stepId: stepIdOf(namespace) };
    const closing = this.closePart(modelCallId);
    this.openParts.set(modelCallId, part);
    const step = this.steps.get(part.stepId);
    if (step) step.spoke = true;
    const { partId, stepId } = part;
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

  /** Something that outlived its step, such as a model call nobody waited for: what it says belongs to nothing any more. */
  private isOver(namespace: Namespace): boolean {
    return stepsOf(namespace).some(({ stepId }) => this.steps.get(stepId)?.ended);
  }

  private supersede(stepId: string): RunEvent[] {
    const step = this.steps.get(stepId);
    if (!step?.superseded) return [];
    step.superseded = false;
    return [{ type: 'step-reset', stepId, attempt: this.run.attempt, reason: 'retry' }, step.started];
  }
}

/** The task id of the innermost step: LangGraph's own, which is the same when a node is run again. */
export function stepIdOf(namespace: Namespace): string {
  return stepsOf(namespace).at(-1)?.stepId ?? '';
}

/** The steps of a namespace, the outermost first. */
export function stepsOf(namespace: Namespace): { readonly name: string; readonly stepId: string }[] {
  if (namespace === '') return [];
  return namespace.split('|').map((segment) => {
    const colon = segment.lastIndexOf(':');
    return { name: segment.slice(0, colon), stepId: segment.slice(colon + 1) };
  });
}

/** What a graph wrote with `config.writer`. A name is taken from `{ name, data }` or `{ type, … }`; anything else is 'custom'. */
function customEvent(value: unknown): RunEvent {
  if (typeof value !== 'object' || value === null) return { type: 'custom', name: 'custom', data: value };
  if ('name' in value && typeof value.name === 'string' && 'data' in value) {
    return { type: 'custom', name: value.name, data: value.data };
  }
  const name = 'type' in value && typeof value.type === 'string' ? value.type : 'custom';
  return { type: 'custom', name, data: value };
}
