import { foldTimeline } from '../../events/fold-timeline.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { InputAnswered } from '../../events/run-event.js';
import { measureRun, type RunFigures } from '../../events/run-figures.js';
import type { RunTimeline } from '../../events/run-timeline.js';
import { applyEvent, emptyView, isInputPart, type RunView, type ViewPart } from '../../events/run-view.js';
import type { RunLog } from '../run-log.js';

/** Events between two views that are kept. A view is not changed by the next one, so that each costs little. */
const KEPT_EVERY = 256;

/** The logs under inspection, as one: each run continues the one before it. Positions count events, from 1. */
export class InspectedLog {
  readonly events: readonly RecordedEvent[];
  readonly timeline: RunTimeline;
  readonly figures: RunFigures;
  /** The views after so many events, one for each run that has begun by then. */
  private readonly kept: (readonly RunView[])[] = [[]];

  /** @param runId the requested run. Default: the last */
  constructor(
    readonly logs: readonly RunLog[],
    private readonly runId = logs.at(-1)?.run.id,
  ) {
    this.events = logs.flatMap(({ events }) => events);
    this.timeline = foldTimeline(this.events);
    this.figures = measureRun(this.timeline);
  }

  /** Returns the run of an event. Before the first event, that is the run of the first event. */
  runAt(position: number): RunLog['run'] | undefined {
    const runId = this.events[Math.max(position - 1, 0)]?.runId ?? this.runId;
    return this.logs.find(({ run }) => run.id === runId)?.run;
  }

  /** Returns a reader's view of each run after so many events. */
  viewsAt(position: number): readonly RunView[] {
    while (this.kept.length * KEPT_EVERY <= position) {
      const last = this.kept.length - 1;
      this.kept.push(this.fold(this.kept[last] ?? [], last * KEPT_EVERY, (last + 1) * KEPT_EVERY));
    }
    const index = Math.floor(position / KEPT_EVERY);
    return this.fold(this.kept[index] ?? [], index * KEPT_EVERY, position);
  }

  /** Returns the position of an event of a run, by default of the requested run. If the event was compacted away, the one before it counts. */
  toPosition(seq: number, runId = this.runId): number {
    const index = this.events.findLastIndex((event) => event.runId === runId && event.seq <= seq);
    return index + 1;
  }

  private fold(views: readonly RunView[], from: number, to: number): readonly RunView[] {
    let folded = [...views];
    for (const recorded of this.events.slice(from, to)) {
      const { event } = recorded;
      if (event.type === 'input-answer')
        folded = folded.map((view) => ({
          ...view,
          parts: view.parts.map((part) => withAnswer(part, event)),
        }));
      const last = folded.at(-1);
      const view = last?.runId === recorded.runId ? (folded.pop() as RunView) : emptyView(recorded.runId);
      folded.push(applyEvent(view, recorded));
    }
    return folded;
  }
}

/** The answer is in the log of the run that continues the one that asked. */
function withAnswer(part: ViewPart, { inputId, decision, by }: InputAnswered): ViewPart {
  return isInputPart(part) && part.inputId === inputId ? { ...part, decision, by } : part;
}
