import { isWholeDocument } from '../../events/json-patch.js';
import type { StateChange } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import type { AgUiEvent } from './ag-ui-events.js';

/** Returns the events for a change of the state, or for all of it; none where there is none. */
export function toStateEvents(state: RunState | undefined, change?: StateChange): AgUiEvent[] {
  if (!state) return [];
  if (!change || isWholeDocument(change.patch)) return [{ type: 'STATE_SNAPSHOT', snapshot: state }];
  // A change of what is left out is no operation.
  return change.patch.length > 0 ? [{ type: 'STATE_DELTA', delta: change.patch }] : [];
}
