import { isDeepStrictEqual } from 'node:util';
import type { RunState } from '../../events/run-state.js';
import type { StepOwners } from '../transcript/step-owners.js';
import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import { weighEntries } from '../transcript/transcript-entries.js';
import { toCheckpointId } from './langgraph-checkpoints.js';
import { toLangGraphMessage } from './langgraph-messages.js';
import type { MomentQuery } from './langgraph-moments.js';
import { toMomentMetadata, type Moment, type MomentPlace } from './langgraph-resources.js';

/** Approximate size in bytes of a reply with several states. Only a single state may be larger. */
const HISTORY_BYTES = 4 * 1024 * 1024;

/** A thread at a moment. */
interface ThreadThen {
  readonly entries: readonly TranscriptEntry[];
  readonly state: RunState | undefined;
  readonly owners: StepOwners;
}

/** Keeps those of a thread's states that a query asks for: the newest, as far as a reply has room. */
export class FoundMoments {
  private readonly found: { readonly moment: Moment; readonly bytes: number }[] = [];
  private readonly toMessage = memoized(toLangGraphMessage);
  private readonly weigh = memoized((state: RunState) => JSON.stringify(state).length);
  private bytes = 0;
  private isDone = false;

  constructor(private readonly query: MomentQuery) {}

  /** True once nothing that comes later is asked for. */
  get isComplete(): boolean {
    return this.isDone;
  }

  /** The oldest first. */
  get moments(): Moment[] {
    // The state that they have to come before is not there.
    if (this.query.before !== undefined && !this.isDone) return [];
    return this.found.map(({ moment }) => moment);
  }

  /** Adds the next state, if it is asked for. */
  add(place: MomentPlace, { entries, state, owners }: ThreadThen): void {
    const { limit, before, only, current } = this.query;
    const ids = [toCheckpointId(place), place.alias];
    this.isDone ||= before !== undefined && ids.includes(before);
    if (this.isDone || (only !== undefined && !ids.includes(only)) || !this.fits(place)) return;
    const bytes = weighEntries(entries) + (state ? this.weigh(state) : 0);
    const isLast = place.run.id === current?.id && place.isLastOfRun;
    const messages = entries.map(this.toMessage);
    this.found.push({ moment: { ...place, messages, state, owners, isLast }, bytes });
    this.bytes += bytes;
    // Each repeats all earlier messages, so the oldest are dropped first.
    while (this.found.length > limit || (this.bytes > HISTORY_BYTES && this.found.length > 1))
      this.bytes -= this.found.shift()?.bytes ?? 0;
  }

  private fits(place: MomentPlace): boolean {
    const found = toMomentMetadata(place);
    return Object.entries(this.query.metadata ?? {}).every(([key, value]) =>
      isDeepStrictEqual(found[key], value),
    );
  }
}

/** Returns the value of a key, which is made once. */
function memoized<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
