import { getHeapSpaceStatistics } from 'node:v8';

/** Resources of a process. */
export interface Footprint {
  /**
   * Objects, without compiled code: that comes and goes as V8 thinks fit. Exact where the process was started with
   * `--expose-gc`; else with whatever is not collected yet.
   */
  readonly heapBytes: number;
  /** Sockets, timers, workers and the rest of what keeps the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners of the process itself, for all of its events. */
  readonly listeners: number;
}

const OBJECT_SPACES = new Set(['new_space', 'old_space', 'large_object_space', 'new_large_object_space']);

/** Takes stock of this process. */
export function footprint(): Footprint {
  // More than once: what a finalizer lets go of in one is only free in the next.
  for (let times = 0; times < 4; times += 1) globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const heapBytes = getHeapSpaceStatistics()
    .filter(({ space_name }) => OBJECT_SPACES.has(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return { heapBytes, resources, listeners };
}
