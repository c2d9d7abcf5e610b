import { getHeapStatistics } from 'node:v8';

/** What a process holds. */
export interface Footprint {
  /** After a collection where the process was started with `--expose-gc`; else a guess that only long runs can use. */
  readonly heapBytes: number;
  /** Sockets, timers, workers and the rest of what keeps the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/** Takes stock of this process. */
export function footprint(): Footprint {
  // Twice: what a finalizer lets go of in the first is only free in the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapBytes: getHeapStatistics().used_heap_size, resources };
}
