import type { SpokenBefore } from '../agents/agent.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { StepStart } from '../events/run-event.js';
import { applyEvent, emptyView } from '../events/run-view.js';

/** Folds a run's log, as far as it goes: the steps that have ended, in the order in which they began, and the texts that stand in each. */
export async function foldSpoken(
  runId: string,
  log: AsyncIterable<RecordedEvent>,
  completedSteps: ReadonlySet<string>,
): Promise<readonly SpokenBefore[]> {
  const steps = new Map<string, StepStart>();
  let view = emptyView(runId);
  for await (const recorded of log) {
    view = applyEvent(view, recorded);
    const { event } = recorded;
    if (event.type === 'step-start' && !steps.has(event.stepId)) steps.set(event.stepId, event);
  }
  const texts = view.parts.flatMap((part) => (part.kind === 'text' ? [part] : []));
  return [...steps.values()]
    .filter(({ stepId }) => completedSteps.has(stepId))
    .map((started) => ({
      started,
      texts: texts.filter(({ stepId }) => stepId === started.stepId).map(({ text }) => text),
    }));
}
