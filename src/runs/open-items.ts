import type { RequestedInput } from '../events/requested-input.js';
import type { RunEvent, RunOutcome, StepStart } from '../events/run-event.js';

/** The items of a run that have begun and not ended. Pure: a fold of the log, so any owner of the run can compute it again. */
export interface OpenItems {
  readonly parts: readonly {
    readonly kind: 'text' | 'reasoning';
    readonly partId: string;
    readonly stepId: string;
  }[];
  readonly tools: readonly {
    readonly toolCallId: string;
    readonly stepId: string;
    readonly startedAt: number;
  }[];
  readonly steps: readonly Omit<StepStart, 'type'>[];
  /** The inputs that wait for an answer from outside. They outlive the run. */
  readonly inputs: readonly RequestedInput[];
}

export const NOTHING_OPEN: OpenItems = { parts: [], tools: [], steps: [], inputs: [] };

/** The open items after `event`, which happened at `at`. Returns the same object when nothing opened or closed. */
export function trackOpen(open: OpenItems, event: RunEvent, at: number): OpenItems {
  switch (event.type) {
    case 'text-start':
      return {
        ...open,
        parts: [...open.parts, { kind: 'text', partId: event.partId, stepId: event.stepId }],
      };
    case 'reasoning-start':
      return {
        ...open,
        parts: [...open.parts, { kind: 'reasoning', partId: event.partId, stepId: event.stepId }],
      };
    case 'text-end':
    case 'reasoning-end':
      return { ...open, parts: open.parts.filter((part) => part.partId !== event.partId) };
    case 'tool-start': {
      const { toolCallId, stepId } = event;
      return {
        ...open,
        tools: [...open.tools, { toolCallId, stepId, startedAt: at }],
        // It was made after all, by an owner that saw no need to ask.
        inputs: open.inputs.filter((asked) => !('toolCallId' in asked) || asked.toolCallId !== toolCallId),
      };
    }
    case 'tool-end':
      return { ...open, tools: open.tools.filter((tool) => tool.toolCallId !== event.toolCallId) };
    case 'step-start': {
      const { type: _, ...step } = event;
      return { ...open, steps: [...open.steps, step] };
    }
    case 'step-end':
      return { ...open, steps: open.steps.filter((step) => step.stepId !== event.stepId) };
    case 'step-reset': {
      const others = (item: { readonly stepId: string }) => item.stepId !== event.stepId;
      return {
        parts: open.parts.filter(others),
        tools: open.tools.filter(others),
        steps: open.steps.filter(others),
        inputs: open.inputs.filter(others),
      };
    }
    case 'input-request': {
      const { type: _, ...asked } = event;
      return { ...open, inputs: [...open.inputs, asked] };
    }
    case 'end':
      return { ...NOTHING_OPEN, inputs: open.inputs };
    case 'run-start':
    case 'run-resume':
    case 'text-delta':
    case 'reasoning-delta':
    case 'file':
    case 'source':
    case 'tool-progress':
    case 'input-answer':
    case 'usage':
    case 'state':
    case 'checkpoint':
    case 'task':
    case 'message-put':
    case 'custom':
      return open;
    default:
      // The owner before this one may have been of a newer version.
      event satisfies never;
      return open;
  }
}

/**
 * The events that close everything, inner before outer, so that every start has its end before the run's `end`. A tool that is open when
 * the run waits is one of a graph that has asked by `interrupt()`.
 */
export function closingEvents(open: OpenItems, at: number, outcome: RunOutcome): RunEvent[] {
  return [
    ...open.parts.map(({ kind, partId }): RunEvent => ({ type: `${kind}-end`, partId })),
    ...open.tools.map(({ toolCallId, startedAt }): RunEvent => ({
      type: 'tool-end',
      toolCallId,
      outcome: outcome === 'awaiting-input' ? outcome : 'cancelled',
      durationMs: Math.max(0, at - startedAt),
    })),
    ...open.steps.toReversed().map((step): RunEvent => ({ type: 'step-end', ...step })),
  ];
}
