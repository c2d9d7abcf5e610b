import type { RunEvent, StepEnd, StepStart } from '../../events/run-event.js';

/** What a superstep has changed and a client has not been told yet. */
export interface SuperstepNews {
  /** The steps that have ended, or that have changed the state before. */
  readonly ended: readonly EndedStep[];
  /** True if the state is another than the one told last, and no step of the run's own graph is at work. */
  readonly isNewState: boolean;
}

export interface EndedStep {
  readonly step: Pick<StepEnd, 'stepId' | 'name' | 'subagent' | 'parentStepId'>;
  /** Keys of the state that it wrote. */
  readonly keys: readonly string[];
  /** True if its end was told before, and only its keys are new. */
  readonly isLate: boolean;
}

/**
 * Knows where a superstep of a run's own graph ends. LangGraph tells of the messages of a step and of its other keys at once. In the log they are
 * events that follow each other, so what they say is kept until another event comes.
 */
export class Supersteps {
  private readonly steps = new Map<string, StepStart>();
  private readonly open = new Set<string>();
  private ended = new Map<string, Omit<EndedStep, 'keys'> & { readonly keys: string[] }>();
  private isStale = false;

  /** Hears an event. Returns what is to be told before it; undefined if that is nothing. */
  hear(event: RunEvent): SuperstepNews | undefined {
    if (event.type === 'end' || event.type === 'run-resume') this.open.clear();
    // What is next is told once the superstep is.
    const isInside = BELONGS_TO_SUPERSTEP.has(event.type) && !(event.type === 'checkpoint' && event.next);
    const news = isInside ? undefined : this.take();
    this.isStale ||= !LEAVES_STATE.has(event.type);
    switch (event.type) {
      case 'step-start':
        this.steps.set(event.stepId, event);
        if (event.parentStepId === undefined) this.open.add(event.stepId);
        break;
      case 'step-reset':
        this.open.delete(event.stepId);
        break;
      case 'step-end':
        this.open.delete(event.stepId);
        this.ended.set(event.stepId, { step: event, keys: [], isLate: false });
        break;
      case 'state':
        for (const [key, stepIds] of Object.entries(event.writers ?? {}))
          for (const stepId of stepIds) this.note(stepId, key);
        break;
      default:
    }
    return news;
  }

  private note(stepId: string, key: string): void {
    const step = this.steps.get(stepId) ?? { stepId, name: stepId };
    const ended = this.ended.get(stepId) ?? { step, keys: [] as string[], isLate: true };
    ended.keys.push(key);
    this.ended.set(stepId, ended);
  }

  private take(): SuperstepNews | undefined {
    const isNewState = this.isStale && this.open.size === 0;
    if (!isNewState && this.ended.size === 0) return undefined;
    const ended = [...this.ended.values()];
    this.ended = new Map();
    if (isNewState) this.isStale = false;
    return { ended, isNewState };
  }
}

type Types = readonly RunEvent['type'][];

/** Events between the end of a step and the end of its superstep, and those before the first step. */
const BELONGS_TO_SUPERSTEP = new Set<string>([
  'step-end',
  'state',
  'run-start',
  'run-resume',
  'input-answer',
  'message-put',
  'usage',
  'checkpoint',
] satisfies Types);

/** Events that change no message and no key of the state. */
const LEAVES_STATE = new Set<string>([
  'step-start',
  'step-end',
  'tool-progress',
  'custom',
  'run-resume',
  'checkpoint',
  'task',
  'end',
] satisfies Types);
