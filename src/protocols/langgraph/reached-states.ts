import type { RecordedEvent } from '../../events/recorded-event.js';
import type { CheckpointReached, PlannedStep } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';

/** A state that a run has kept, with the thread as it was then. */
export interface ReachedState {
  readonly event: CheckpointReached;
  readonly at: number;
  readonly entries: readonly TranscriptEntry[];
  readonly state: RunState | undefined;
  /** The steps that come next. */
  readonly next: readonly PlannedStep[];
}

/** Collects the states that a run has kept, from its log. */
export class ReachedStates {
  private readonly states = new Map<string, ReachedState>();

  /** @param questionId the message that the run answers: its first state is the one before that */
  constructor(private readonly questionId: string | undefined) {}

  /** The states, the oldest first. */
  list(): readonly ReachedState[] {
    return [...this.states.values()];
  }

  /** Hears an event, once the transcript has it. Returns the state that it says more about. */
  hear(
    { event, at }: RecordedEvent,
    { entries, state }: Pick<Transcript, 'entries' | 'state'>,
  ): ReachedState | undefined {
    if (event.type !== 'checkpoint' || event.runId !== undefined) return undefined;
    const known = this.states.get(event.checkpointId);
    const reached: ReachedState = known
      ? { ...known, next: event.next ?? known.next }
      : { event, at, state, entries: this.select(event, entries), next: event.next ?? [] };
    this.states.set(event.checkpointId, reached);
    return reached;
  }

  private select(
    { source }: CheckpointReached,
    entries: readonly TranscriptEntry[],
  ): readonly TranscriptEntry[] {
    const isBeforeQuestion = source === 'input' && this.questionId !== undefined;
    return isBeforeQuestion ? entries.filter(({ id }) => id !== this.questionId) : [...entries];
  }
}
