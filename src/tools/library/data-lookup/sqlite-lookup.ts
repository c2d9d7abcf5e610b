import { fileURLToPath } from 'node:url';
import { AppError } from '../../../errors.js';
import { nameOption } from '../../../option-names.js';
import { startProcess } from '../../workers/pool-worker.js';
import {
  SPARE_PROCESSORS,
  TaskTimeoutError,
  WorkerGoneError,
  WorkerPool,
  type PoolCaller,
} from '../../workers/worker-pool.js';
import type { LookupDatabase } from './lookup-database.js';
import { tooSlow, type LookupLimits, type LookupResult, type TableDescription } from './lookup-result.js';
import type { LookupReply, LookupTask } from './sqlite-lookup.process.js';

const PROGRAM = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './sqlite-lookup.process.ts' : './sqlite-lookup.process.js',
    import.meta.url,
  ),
);

/** Of this process, for all databases. At least 2, so that slow queries of one do not keep another's waiting. */
const POOL = new WorkerPool<LookupTask, LookupReply>({
  size: Math.max(2, SPARE_PROCESSORS),
  start: () => startProcess(PROGRAM, { execArgv: ['--max-old-space-size=128'] }),
});

/**
 * SQLite in a few processes. A query runs inside one call into SQLite: a thread that is in it cannot be ended, a process can.
 */
export class SqliteLookup implements LookupDatabase {
  /** @param path of the file; undefined: the countries of the world, in memory */
  constructor(
    private readonly path: string | undefined,
    private readonly limits: LookupLimits,
  ) {}

  async tables(caller: PoolCaller): Promise<readonly TableDescription[]> {
    return (await this.#run(undefined, caller)) as readonly TableDescription[];
  }

  async query(sql: string, caller: PoolCaller): Promise<LookupResult> {
    return (await this.#run(sql, caller)) as LookupResult;
  }

  async #run(sql: string | undefined, caller: PoolCaller): Promise<unknown> {
    const task: LookupTask = { path: this.path, sql, limits: this.limits };
    return toResult(await this.#ask(task, caller));
  }

  async #ask(task: LookupTask, caller: PoolCaller): Promise<LookupReply> {
    const { timeoutMs } = this.limits;
    try {
      return await POOL.run(task, timeoutMs, caller);
    } catch (error) {
      if (error instanceof TaskTimeoutError) throw tooSlow(timeoutMs, error);
      if (error instanceof WorkerGoneError) {
        throw new Error('The query needs too much memory. Ask for less.', { cause: error });
      }
      throw error;
    }
  }
}

function toResult(answer: LookupReply): unknown {
  if (answer.type === 'result') return answer.result;
  if (answer.type === 'query-fault') throw new Error(answer.message);
  throw new AppError(
    'TOOL_NOT_CONFIGURED',
    `The lookup database cannot be opened. Check ${nameOption('lookupDatabaseUrl of ToolLibraryOptions')}.`,
    {
      cause: answer.message,
    },
  );
}
