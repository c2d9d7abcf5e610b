import type { RecordedEvent } from '../../../src/events/recorded-event.js';
import type { Outage } from '../../../src/testing/history/history.js';

/** Returns a fault for each owner of a run that took it although the process of the one before had not died: a block is no death. */
export function checkOwners(log: readonly RecordedEvent[], outages: readonly Outage[]): string[] {
  const faults: string[] = [];
  let since = 0;
  for (const { event, at, runId } of log) {
    if (event.type === 'run-start') since = at;
    if (event.type !== 'run-resume') continue;
    if (!outages.some(({ from, to }) => to >= since && from <= at)) {
      faults.push(`${runId} was taken over although its process was alive`);
    }
    since = at;
  }
  return faults;
}
