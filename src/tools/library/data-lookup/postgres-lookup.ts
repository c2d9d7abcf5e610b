import type { Client, DatabaseError, QueryArrayConfig, QueryArrayResult } from 'pg';
import { AppError } from '../../../errors.js';
import { nameOption } from '../../../option-names.js';
import { FairSlots } from '../../workers/fair-slots.js';
import { fairnessKey, type PoolCaller } from '../../workers/worker-pool.js';
import type { LookupDatabase } from './lookup-database.js';
import {
  checkColumns,
  collectRows,
  tooSlow,
  type LookupLimits,
  type LookupResult,
  type TableDescription,
} from './lookup-result.js';

const QUERY_CANCELED = '57014';
const CONNECT_LIMIT_MS = 5_000;
/** Characters of one row as JSON. A query can make a large value out of nothing; this keeps it on the server's side. */
const LARGEST_ROW = 64 * 1024;

/** Of this process, to all databases; a cancelled query takes a second connection for a moment. Principals take turns. */
const CONNECTIONS = new FairSlots({ size: 4, perKey: 3 });

const TABLES = `
  SELECT CASE table_schema WHEN 'public' THEN table_name ELSE table_schema || '.' || table_name END AS name,
         array_agg(column_name || ' ' || data_type ORDER BY ordinal_position)::text[] AS columns
  FROM information_schema.columns
  WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
  GROUP BY table_schema, table_name ORDER BY 1 LIMIT 200`;

/**
 * Postgres, read only: the query is the body of a cursor in a read-only transaction, and a cursor's body can be nothing
 * but a query. A function that acts outside of transactions (dblink, COPY to a program as superuser) is a matter of the
 * role: give this tool one that may only read. So is how much a query may put on the server's disk: only an administrator can limit
 * that (`ALTER ROLE reader SET temp_file_limit = '256MB'`).
 */
export class PostgresLookup implements LookupDatabase {
  constructor(
    private readonly url: string,
    private readonly limits: LookupLimits,
  ) {}

  tables(caller: PoolCaller): Promise<readonly TableDescription[]> {
    return this.#reading(caller, async (client) => {
      const { rows } = await client.query<[string, string[]]>({ text: TABLES, rowMode: 'array' });
      return rows.map(([table, columns]) => ({ table, columns }));
    });
  }

  query(sql: string, caller: PoolCaller): Promise<LookupResult> {
    return this.#reading(caller, async (client) => {
      const { fields } = await sent(client, `SELECT * FROM (\n${sql}\n) AS query LIMIT 0`);
      const columns = fields.map(({ name }) => name);
      checkColumns(columns);
      await sent(
        client,
        `DECLARE lookup NO SCROLL CURSOR FOR SELECT left(to_json(query)::text, ${LARGEST_ROW}) FROM (\n${sql}\n) AS query`,
      );
      const { rows } = await sent(client, `FETCH ${this.limits.maxRows + 1} FROM lookup`);
      return collectRows(
        columns,
        rows.map(([json]) => parseCells(json as string, columns)),
        this.limits,
      );
    });
  }

  /** A connection per lookup: nothing that a query does to its session can meet the next one. */
  async #reading<Result>(
    { principal, signal }: PoolCaller,
    read: (client: Client) => Promise<Result>,
  ): Promise<Result> {
    const release = await CONNECTIONS.enter(fairnessKey(principal), signal);
    try {
      return await this.#readingNow(signal, read);
    } finally {
      release();
    }
  }

  async #readingNow<Result>(signal: AbortSignal, read: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await this.#connected();
    const cancel = (): void => void this.#cancel(client).catch(() => undefined);
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', cancel, { once: true });
      await client.query(
        `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.ceil(this.limits.timeoutMs)}`,
      );
      return await read(client);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#explained(error);
    } finally {
      signal.removeEventListener('abort', cancel);
      // The server rolls back what is open.
      await client.end();
    }
  }

  async #connected(): Promise<Client> {
    const { default: pg } = await import('pg').catch((cause: unknown) => {
      throw new AppError('TOOL_NOT_CONFIGURED', 'Data lookup in Postgres needs the package pg: npm i pg', {
        cause,
      });
    });
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: CONNECT_LIMIT_MS });
    // A connection that breaks between two queries says so here; the next query fails by itself.
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (cause) {
      throw new AppError(
        'TOOL_NOT_CONFIGURED',
        `The lookup database cannot be reached. Check ${nameOption('lookupDatabaseUrl of ToolLibraryOptions')}.`,
        { cause, retryable: true },
      );
    }
    return client;
  }

  /** Postgres hears a cancel only on another connection. */
  async #cancel(client: Client & { readonly processID?: number }): Promise<void> {
    const other = await this.#connected();
    try {
      await other.query('SELECT pg_cancel_backend($1)', [client.processID]);
    } finally {
      await other.end();
    }
  }

  #explained(error: unknown): Error {
    const { code, message, hint } = error as DatabaseError;
    if (code === QUERY_CANCELED) return tooSlow(this.limits.timeoutMs, error);
    return new Error(hint ? `${message}. ${hint}` : message, { cause: error });
  }
}

/** By the extended protocol, which takes one statement and refuses a second. */
function sent(client: Client, text: string): Promise<QueryArrayResult<unknown[]>> {
  const query: QueryArrayConfig & { queryMode: 'extended' } = {
    text,
    rowMode: 'array',
    queryMode: 'extended',
  };
  return client.query<unknown[]>(query);
}

function parseCells(json: string, columns: readonly string[]): readonly unknown[] {
  if (json.length >= LARGEST_ROW) throw new Error('A row is too large. Select fewer or shorter columns.');
  const row = JSON.parse(json) as Record<string, unknown>;
  return columns.map((name) => row[name]);
}
