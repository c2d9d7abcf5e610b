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
  private newestId: string | undefined;
  private hasInput = false;

  /** @param questionId the message that the run answers: its first state is the one before that */
  constructor(private readonly questionId: string | undefined) {}

  /** The states, the oldest first. */
  list(): readonly ReachedState[] {
    return [...this.states.values()];
  }

  /** The state that the run has reached last. */
  get newest(): ReachedState | undefined {
    return this.newestId === undefined ? undefined : this.states.get(this.newestId);
  }

  /** Hears an event, once the transcript has it. Returns the state that it says more about. */
  hear(
    { event, at }: RecordedEvent,
    { entries, state }: Pick<Transcript, 'entries' | 'state'>,
  ): ReachedState | undefined {
    if (event.type !== 'checkpoint' || event.runId !== undefined) return undefined;
    const { checkpointId } = event;
    const known = this.states.get(checkpointId);
    if (!known) this.newestId = checkpointId;
    // Some keys are not in the checkpoint, and were told after it. Those of the next one may have been told by now as well.
    const isNewest = this.newestId === checkpointId;
    const reached: ReachedState = known
      ? { ...known, next: event.next ?? known.next, ...(isNewest && { state }) }
      : { event, at, state, entries: this.select(event, entries), next: event.next ?? [] };
    this.states.set(checkpointId, reached);
    return reached;
  }

  private select(
    { source }: CheckpointReached,
    entries: readonly TranscriptEntry[],
  ): readonly TranscriptEntry[] {
    // Others come from messages to the run while it was under way.
    const isFirstInput = source === 'input' && !this.hasInput;
    this.hasInput ||= isFirstInput;
    const isBeforeQuestion = isFirstInput && this.questionId !== undefined;
    return isBeforeQuestion ? entries.filter(({ id }) => id !== this.questionId) : [...entries];
  }
}
