import type { SpokenBefore } from '../agents/agent.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { StepStart } from '../events/run-event.js';
import { applyEvent, emptyView, type ViewPart } from '../events/run-view.js';
import { isInsideCall } from '../events/subagent.js';
import type { MessageViewPart } from '../events/view-parts.js';

/** Folds a run's log, as far as it goes: the steps that have ended, in the order in which they began, and what stands in each. */
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
  const parts = view.parts.filter(isOfMessage);
  return [...steps.values()]
    .filter(({ stepId }) => completedSteps.has(stepId))
    .map((started) => ({ started, parts: parts.filter(({ stepId }) => stepId === started.stepId) }));
}

/** True for a part of the run's own messages. What a call has given, and what agents in it say, is part of the call. */
function isOfMessage(part: ViewPart): part is MessageViewPart {
  if (part.kind === 'text' || part.kind === 'reasoning' || part.kind === 'source') return !isInsideCall(part);
  return part.kind === 'file' && part.toolCallId === undefined && !isInsideCall(part);
}
