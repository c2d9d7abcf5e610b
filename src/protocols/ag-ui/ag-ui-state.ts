import { isWholeDocument } from '../../events/json-patch.js';
import type { StateChange } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import type { AgUiEvent } from './ag-ui-events.js';

interface ShownState {
  readonly state: RunState | undefined;
  /** The keys left out of the state. */
  readonly omitted: readonly string[];
}

/**
 * Returns the events for a change of the state, or for the whole state; none without a state. Names the keys that are left out when they change.
 *
 * @param change the change, and the keys that the client already knows to be left out
 */
export function toStateEvents(
  { state, omitted }: ShownState,
  change?: { readonly event: StateChange; readonly omitted: readonly string[] },
): AgUiEvent[] {
  if (!state) return [];
  const isTold = String(omitted) === String(change?.omitted ?? []);
  return [...toChange(state, change?.event), ...(isTold ? [] : [toOmittedEvent(omitted)])];
}

function toChange(state: RunState, change: StateChange | undefined): AgUiEvent[] {
  if (!change || isWholeDocument(change.patch)) return [{ type: 'STATE_SNAPSHOT', snapshot: state }];
  // A change of what is left out is no operation.
  return change.patch.length > 0 ? [{ type: 'STATE_DELTA', delta: change.patch }] : [];
}

/** Returns the event that names the keys left out. Its list is empty once the state is complete again. */
function toOmittedEvent(keys: readonly string[]): AgUiEvent {
  return { type: 'CUSTOM', name: 'state-omitted', value: { keys } };
}
