import type { PoolCaller } from '../../workers/worker-pool.js';
import type { LookupResult, TableDescription } from './lookup-result.js';

/**
 * A database that can be asked and not changed. Both methods reject with the reason of the caller's signal when that is aborted, with an
 * AppError `TOOL_NOT_CONFIGURED` when the database cannot be opened, and with an Error written for the model when the
 * query is at fault: a mistake in its SQL, an attempt to write, more than the time limit.
 */
export interface LookupDatabase {
  tables(caller: PoolCaller): Promise<readonly TableDescription[]>;
  query(sql: string, caller: PoolCaller): Promise<LookupResult>;
}
