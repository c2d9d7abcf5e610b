import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, types, type ClientBase, type ClientConfig } from 'pg';
import { AppError } from '../../errors.js';
import { backoffMs } from './backoff.js';
import { isPassing, storageFailure } from './postgres.errors.js';

export interface DatabaseOptions {
  readonly url: string;
  readonly schema: string;
  readonly poolSize: number;
  /** Time for which a request tries to reach a database that is away, in milliseconds. */
  readonly patienceMs: number;
}

/** Somewhere to send statements to: any connection, or the one of a transaction. */
export interface Statements {
  /** @param timeoutMs time to wait for the answer. Default: that of the connection */
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    timeoutMs?: number,
  ): Promise<Row[]>;
}

export const DEFAULT_SCHEMA = 'agent_stream';

/** A statement that gets no answer in so long is on a connection that died without saying so. */
const SILENCE_MS = 15_000;
const CONNECT_MS = 5_000;

const INT8 = 20;

/** Returns the options that all our connections share. Ordinals, times and counts stay far below 2^53. */
export function connectionOptions(url: string): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: SILENCE_MS,
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: unknown) =>
        oid === INT8 ? Number : (types.getTypeParser as (...all: unknown[]) => unknown)(oid, format),
    },
  };
}

export function createPool(url: string, size: number): Pool {
  const pool = new Pool({ ...connectionOptions(url), max: size });
  // A connection that breaks fails its statement, or is replaced when it is needed. It also says so by an event, idle or not,
  // and an error event without a listener ends the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * The connections for requests. What is asked while the database is away waits for it, for a while: a restart or a failover
 * is a pause to people, and not an error.
 */
export class PostgresDatabase implements Statements {
  readonly schema: string;
  private readonly pool: Pool;
  private readonly patienceMs: number;
  private readonly closing = new AbortController();
  private closed: Promise<void> | undefined;

  constructor({ url, schema, poolSize, patienceMs }: DatabaseOptions) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new AppError('CONFIG_INVALID', `'${schema}' is not a name for a schema. Use a-z, 0-9 and _.`);
    }
    this.schema = schema;
    this.patienceMs = patienceMs;
    this.pool = createPool(url, poolSize);
  }

  /** For statements that do the same when they are done twice. */
  query<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.retryWhileBusy(async () => (await this.pool.query(text, [...values])).rows as Row[]);
  }

  /** `work` may be called again after a lost connection, with `again` set: then it may have taken effect already. */
  transaction<Result>(work: (tx: Statements, isRetry: boolean) => Promise<Result>): Promise<Result> {
    return this.retryWhileBusy((isRetry) => this.transactionOnce((tx) => work(tx, isRetry)));
  }

  /** As `transaction`, for work that is one statement when nothing goes wrong: a transaction by itself, at a third of the round trips. */
  statement<Result>(work: (db: Statements, isRetry: boolean) => Promise<Result>): Promise<Result> {
    return this.retryWhileBusy((isRetry) => work(statementsOn(this.pool), isRetry));
  }

  /** One attempt, for who cares about now. */
  async queryOnce<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    try {
      return (await this.pool.query(text, [...values])).rows as Row[];
    } catch (error) {
      throw storageFailure(error);
    }
  }

  async transactionOnce<Result>(work: (tx: Statements) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      return await inTransaction(client, work);
    } catch (error) {
      if (isPassing(error)) broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    this.closing.abort();
    this.closed ??= this.pool.end();
    return this.closed;
  }

  private async retryWhileBusy<Result>(attempt: (isRetry: boolean) => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + this.patienceMs;
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt(failures > 0);
      } catch (error) {
        const waitMs = backoffMs(failures);
        const givesUp = this.closing.signal.aborted || performance.now() + waitMs > deadline;
        if (givesUp || !isPassing(error)) throw storageFailure(error);
        await sleep(waitMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
      }
    }
  }
}

/** Commits what `work` does, or none of it. The connection's own failures come through as they are. */
export async function inTransaction<Result>(
  client: ClientBase,
  work: (tx: Statements) => Promise<Result>,
): Promise<Result> {
  // A process that is frozen in here holds its rows no longer than a lease. Set per transaction, and not per connection, because
  // a PgBouncer hands connections on.
  await client.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '4s'");
  try {
    const result = await work(statementsOn(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // On a broken connection it fails too, and the server has rolled back by itself.
    if (!isPassing(error)) await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

export function statementsOn(client: Pick<ClientBase, 'query'>): Statements {
  return {
    query: async <Row>(text: string, values: readonly unknown[] = [], timeoutMs?: number) => {
      const patience = timeoutMs === undefined ? {} : { query_timeout: timeoutMs };
      return (await client.query({ text, values: [...values], ...patience })).rows as Row[];
    },
  };
}
