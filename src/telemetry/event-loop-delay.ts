import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.js';

/** Milliseconds between two looks at the event loop. What is measured below that is the timer's own. */
const RESOLUTION_MS = 10;

/** Measures the delay of the event loop until the returned function is called. */
export function watchEventLoop(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // A reading is of the time since the last one of its kind: the maximum of a whole life says nothing.
  metrics.observe('eventLoopDelayP99', () => [[toSeconds(delay.percentile(99))]]);
  metrics.observe('eventLoopDelayMax', () => {
    const longest = delay.max;
    delay.reset();
    return [[toSeconds(longest)]];
  });
  return () => delay.disable();
}

function toSeconds(nanoseconds: number): number {
  return nanoseconds / 1e9;
}
