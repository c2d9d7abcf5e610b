import { startThread } from '../workers/pool-worker.js';
import { SPARE_PROCESSORS, WorkerPool, type PoolCaller } from '../workers/worker-pool.js';
import type { Job, JobName, Jobs } from './compute-jobs.js';

// From the sources, as in tests, Node runs the worker's TypeScript as it is.
const PROGRAM = new URL(
  import.meta.url.endsWith('.ts') ? './compute.worker.ts' : './compute.worker.js',
  import.meta.url,
);

/** Of this process, whatever number of modules there are in it: they share its processors too. */
const POOL = new WorkerPool<Job, unknown>({
  size: SPARE_PROCESSORS,
  start: () =>
    startThread(PROGRAM, {
      name: 'compute',
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 },
    }),
});

/** Does a job in a thread. See {@link WorkerPool.run} for how it fails. */
export async function compute<Name extends JobName>(
  name: Name,
  input: Parameters<Jobs[Name]>[0],
  timeoutMs: number,
  caller: PoolCaller,
): Promise<ReturnType<Jobs[Name]>> {
  return (await POOL.run({ name, input }, timeoutMs, caller)) as ReturnType<Jobs[Name]>;
}
