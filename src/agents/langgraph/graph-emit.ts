import type { Emit } from '../../events/emit.js';
import type { AgentContext } from '../agent.js';
import type { GraphFact, Namespace } from './graph-fact.js';
import type { LangGraphMapper } from './langgraph.mapper.js';
import { getStepId } from './named-steps.js';
import type { Correction } from './spoken-messages.js';

/** Takes back what an earlier owner's attempt at a step has put out, should the step begin once more although it was completed. */
export function supersedingEmit(
  { attempt, completedSteps, emit }: AgentContext,
  forget: (stepId: string) => void,
): Emit {
  return (event) => {
    if (event.type === 'step-start' && completedSteps.has(event.stepId)) {
      forget(event.stepId);
      void emit({ type: 'step-reset', stepId: event.stepId, attempt, reason: 'retry' });
    }
    return emit(event);
  };
}

/** Puts right what people see of a step. The step may be over by then, if its files had to be stored first. */
export function correct(
  correction: Correction,
  { namespace, isLate }: { readonly namespace: Namespace; readonly isLate: boolean },
  tell: (fact: GraphFact) => void | Promise<void>,
): void | Promise<void> {
  if (correction.kind === 'take-back') {
    const { namespace: place, kept } = correction;
    return tell({ kind: 'taken-back', stepId: getStepId(place), kept });
  }
  const stepId = getStepId(namespace);
  if (isLate && correction.words.parts) return tell({ kind: 'said-late', stepId, words: correction.words });
  const modelCallId = `said-${stepId}`;
  const waiting = tell({ kind: 'token', modelCallId, namespace, words: correction.words });
  return tell({ kind: 'model-finished', modelCallId, namespace }) ?? waiting;
}

export function emitAll(events: ReturnType<LangGraphMapper['map']>, emit: Emit): void | Promise<void> {
  let waiting: Promise<void> | undefined;
  for (const event of events) waiting = emit(event) || waiting;
  return waiting;
}
