import { applyPatch } from './json-patch.js';
import type { StateChange } from './run-event.js';

/** The state that an agent shows beside its messages, by key. Plain JSON. */
export type RunState = Readonly<Record<string, unknown>>;

/** Returns the state after a change. What did not change is shared. */
export function applyState(state: RunState | undefined, { patch }: StateChange): RunState {
  return applyPatch(state ?? {}, patch) as RunState;
}
