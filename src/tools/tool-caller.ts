import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolCaller } from './workers/worker-pool.js';

/** For whom arguments are being checked: a schema that is checked elsewhere takes turns by it, and stops when the run is cancelled. */
export const toolCaller = new AsyncLocalStorage<PoolCaller>();
