import type { RecordedEvent } from '../events/recorded-event.js';
import { applyEvent, emptyView, type RunView } from '../events/run-view.js';

/** A run as it was at one of its states, folded from its log. */
export interface CutView {
  /** The run so far. */
  readonly view: RunView;
  /** The run as it was at the state. Undefined before that. */
  readonly cut?: RunView | undefined;
  /** True once the run has reached a later state. */
  readonly isOver?: boolean;
}

/** Returns a view of a run before its first event. */
export function beginCut(runId: string): CutView {
  return { view: emptyView(runId) };
}

/**
 * Applies an event. Pure. What is held back until the end of a completed run is said after its last state, which has it.
 *
 * @param until the id of the state. Undefined: the whole run
 */
export function applyToCut(fold: CutView, recorded: RecordedEvent, until: string | undefined): CutView {
  const { event } = recorded;
  const view = applyEvent(fold.view, recorded);
  if (until === undefined) return { view };
  const { cut, isOver = false } = fold;
  // Not those of earlier runs, which a run names where it begins.
  if (event.type === 'checkpoint' && event.runId === undefined)
    return event.checkpointId === until
      ? { view, cut: cut ?? view, isOver }
      : { view, cut, isOver: cut !== undefined };
  if (event.type !== 'end' || !cut) return { view, cut, isOver };
  const isWhole = !isOver && event.outcome === 'completed';
  return { view, cut: isWhole ? view : applyEvent(cut, recorded), isOver };
}
