import {
  ItemStore,
  type FoundItem,
  type ItemChange,
  type ItemLimits,
  type ItemName,
  type ItemQuery,
  type ItemScope,
  type StoredItem,
} from '../../agents/item.store.js';
import {
  fits,
  parsePath,
  pathAfter,
  toChangeRow,
  toFound,
  toItem,
  toNameRow,
  toPath,
  type ItemChangeRow,
  type ItemNameRow,
  type ItemRow,
  type ItemTotals,
} from '../item-rows.js';
import { ItemSearch, type Candidate } from '../item-search.js';
import type { PostgresDatabase, Statements } from './postgres.database.js';
import { isUnusable, toNumbers, VectorExtension } from './vector-extension.js';

const COLUMNS = 'path, key, value, created_at, updated_at, ttl_ms';

/** Candidates that are fetched at a time, so that no search holds up the event loop for long. */
const CANDIDATES = 200;
/** The same if the database sends their scores. At most {@link CANDIDATES} of them come with vectors that it cannot compare. */
const SCORED_CANDIDATES = 2_000;

/**
 * Filters in this process, over the items of one scope: what a scope may hold bounds a search. Vectors are compared by pgvector if the database has
 * it, exactly as here otherwise, and without an index: no index on vectors knows scopes.
 */
export class PostgresItemStore extends ItemStore {
  private readonly table: string;
  /** The items of the scope in $1 and $2 that have not expired. */
  private readonly alive: string;
  private extension: VectorExtension | undefined;

  constructor(private readonly database: PostgresDatabase) {
    super();
    const { schema: s } = database;
    this.table = `${s}.items`;
    this.alive = `items.tenant = $1 AND items.user_id = $2 AND (expires_at IS NULL OR expires_at > ${s}.now_ms())`;
  }

  /** Uses pgvector from now on, if the database has it, and until it is dropped. */
  async open(): Promise<void> {
    this.extension = await VectorExtension.find(this.database);
  }

  async get(scope: ItemScope, names: readonly ItemName[]): Promise<readonly (StoredItem | undefined)[]> {
    const asked = names.map(toNameRow);
    const rows = await this.database.query<ItemRow>(
      `SELECT ${COLUMNS} FROM ${this.table} JOIN ${namesIn(3)} USING (path, key) WHERE ${this.alive}`,
      [...toValues(scope), ...toColumns(asked)],
    );
    const byName = new Map(rows.map((row) => [toMapKey(row), row]));
    return asked.map((name) => {
      const row = byName.get(toMapKey(name));
      return row && toItem(row);
    });
  }

  change(scope: ItemScope, changes: readonly ItemChange[], limits: ItemLimits): Promise<'changed' | 'full'> {
    const rows = changes.map(toChangeRow);
    const of = toValues(scope);
    return this.database.transaction(async (tx) => {
      // One change of a scope at a time, so that two together cannot pass its limits.
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `${this.table}:${JSON.stringify(of)}`,
      ]);
      const { before, after } = await this.total(tx, of, rows);
      if (!fits(before, after, limits)) return 'full';
      const kept = rows.filter(({ value }) => value !== null);
      const removed = rows.filter(({ value }) => value === null);
      await tx.query(
        `DELETE FROM ${this.table} WHERE tenant = $1 AND user_id = $2 AND (
           (path, key) IN (SELECT * FROM ${namesIn(3)}) OR
           expires_at <= ${this.database.schema}.now_ms() AND (path, key) IN (SELECT * FROM ${namesIn(5)}))`,
        [...of, ...toColumns(removed), ...toColumns(kept)],
      );
      await this.put(tx, of, kept);
      return 'changed';
    });
  }

  async search(scope: ItemScope, { prefix, ...query }: ItemQuery): Promise<readonly FoundItem[]> {
    const path = toPath(prefix);
    const of = [...toValues(scope), path, pathAfter(path)];
    const below = `${this.alive} AND path >= $3 AND ($4::text IS NULL OR path < $4)`;
    if (!query.filter && !query.vector) {
      const rows = await this.database.query<ItemRow>(
        `SELECT ${COLUMNS} FROM ${this.table} WHERE ${below} ORDER BY id LIMIT $5 OFFSET $6`,
        [...of, query.limit, query.offset],
      );
      return rows.map((row) => toFound({ ...row, score: null }));
    }
    const search = new ItemSearch(query);
    for await (const candidate of this.candidates(below, of, query)) if (search.offer(candidate)) break;
    const { hits } = search;
    const rows = await this.database.query<ItemRow & { readonly id: number }>(
      `SELECT id, ${COLUMNS} FROM ${this.table} WHERE ${this.alive} AND id = ANY ($3::bigint[])`,
      [...toValues(scope), hits.map(({ id }) => id)],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    // One that was removed meanwhile is left out.
    return hits.flatMap(({ id, score = null }) => {
      const row = byId.get(id);
      return row ? [toFound({ ...row, score })] : [];
    });
  }

  async listNamespaces(scope: ItemScope): Promise<readonly (readonly string[])[]> {
    const rows = await this.database.query<{ path: string }>(
      `SELECT DISTINCT path FROM ${this.table} WHERE ${this.alive} ORDER BY path`,
      toValues(scope),
    );
    return rows.map(({ path }) => parsePath(path));
  }

  async touch(scope: ItemScope, names: readonly ItemName[]): Promise<void> {
    await this.database.query(
      `UPDATE ${this.table} SET expires_at = ${this.database.schema}.now_ms() + ttl_ms
       WHERE ${this.alive} AND ttl_ms IS NOT NULL AND (path, key) IN (SELECT * FROM ${namesIn(3)})`,
      [...toValues(scope), ...toColumns(names.map(toNameRow))],
    );
  }

  async deleteAll({ tenant, userId }: ItemScope): Promise<void> {
    await this.database.query(
      `DELETE FROM ${this.table} WHERE tenant = $1 AND ($2::text IS NULL OR user_id = $2)`,
      [tenant, userId ?? null],
    );
  }

  async deleteExpired(limit: number): Promise<number> {
    const rows = await this.database.query(
      `DELETE FROM ${this.table} WHERE id IN (
         SELECT id FROM ${this.table} WHERE expires_at <= ${this.database.schema}.now_ms() LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [limit],
    );
    return rows.length;
  }

  private async *candidates(
    below: string,
    of: readonly unknown[],
    query: Omit<ItemQuery, 'prefix'>,
  ): AsyncGenerator<Candidate> {
    let extension = query.vector && this.extension?.takes(query.vector) ? this.extension : undefined;
    for (let last = 0, isMore = true; isMore;) {
      try {
        const page = await this.readPage(below, [...of, last], query, extension);
        yield* page.candidates;
        last = page.candidates.at(-1)?.id ?? last;
        ({ isMore } = page);
      } catch (error) {
        if (!extension || !isUnusable(error)) throw error;
        this.extension = extension = undefined;
      }
    }
  }

  /** @param of what `below` names, and the last id before the page */
  private async readPage(
    below: string,
    of: readonly unknown[],
    { filter, vector }: Omit<ItemQuery, 'prefix'>,
    extension: VectorExtension | undefined,
  ): Promise<{ readonly candidates: readonly Candidate[]; readonly isMore: boolean }> {
    const pageSize = extension && !filter ? SCORED_CANDIDATES : CANDIDATES;
    const vectors = vector ? 'vectors' : 'NULL AS vectors';
    const columns = [
      'id',
      filter ? 'value' : "'' AS value",
      extension && vector ? extension.columns(6, vector.length) : vectors,
    ];
    const rows = `SELECT * FROM ${this.table} WHERE ${below} AND id > $5 ORDER BY id LIMIT ${pageSize}`;
    const from = extension ? extension.within(rows, CANDIDATES) : rows;
    const candidates = await this.database.query<Candidate>(
      `SELECT ${columns.join(', ')} FROM (${from}) AS items ORDER BY id`,
      [...of, ...(extension && vector ? [extension.toParameter(vector)] : [])],
    );
    const fetched = candidates.filter(({ vectors: own }) => own).length;
    return { candidates, isMore: candidates.length === pageSize || fetched === CANDIDATES };
  }

  private async total(
    tx: Statements,
    of: readonly string[],
    changes: readonly ItemChangeRow[],
  ): Promise<{ readonly before: ItemTotals; readonly after: ItemTotals }> {
    const named = `(path, key) IN (SELECT * FROM ${namesIn(3)})`;
    const [row] = await tx.query<ItemTotals & { readonly named_items: number; readonly named_bytes: number }>(
      `SELECT count(*) AS items, coalesce(sum(bytes), 0)::bigint AS bytes,
         count(*) FILTER (WHERE ${named}) AS named_items,
         coalesce(sum(bytes) FILTER (WHERE ${named}), 0)::bigint AS named_bytes
       FROM ${this.table} WHERE ${this.alive}`,
      [...of, ...toColumns(changes)],
    );
    const before = row ?? { items: 0, bytes: 0, named_items: 0, named_bytes: 0 };
    const added = changes.filter(({ value }) => value !== null);
    return {
      before,
      after: {
        items: before.items - before.named_items + added.length,
        bytes: before.bytes - before.named_bytes + added.reduce((sum, { bytes }) => sum + bytes, 0),
      },
    };
  }

  private async put(tx: Statements, of: readonly string[], rows: readonly ItemChangeRow[]): Promise<void> {
    const now = `${this.database.schema}.now_ms()`;
    const numbers = rows.map(({ vectors }) => toNumbers(this.extension ? vectors : null));
    await tx.query(
      `INSERT INTO ${this.table} (tenant, user_id, path, key, value, vectors, bytes, ttl_ms, dims, numbers,
         numbers_at, created_at, updated_at, expires_at)
       SELECT $1, $2, path, key, value, vectors, bytes, ttl_ms, dims, numbers::real[],
         CASE WHEN $11 THEN ${now} END, ${now}, ${now}, ${now} + ttl_ms
       FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[], $7::int[], $8::bigint[], $9::int[], $10::text[])
         AS put (path, key, value, vectors, bytes, ttl_ms, dims, numbers)
       ON CONFLICT (tenant, user_id, path, key) DO UPDATE SET
         value = excluded.value, vectors = excluded.vectors, bytes = excluded.bytes, updated_at = excluded.updated_at,
         ttl_ms = excluded.ttl_ms, expires_at = excluded.expires_at,
         dims = excluded.dims, numbers = excluded.numbers, numbers_at = excluded.numbers_at`,
      [
        ...of,
        ...toColumns(rows),
        rows.map(({ value }) => value),
        rows.map(({ vectors }) => vectors && Buffer.from(vectors)),
        rows.map(({ bytes }) => bytes),
        rows.map(({ ttlMs }) => ttlMs),
        numbers.map(({ dims }) => dims),
        numbers.map(({ numbers: all }) => all),
        this.extension !== undefined,
      ],
    );
  }
}

function toValues({ tenant, userId = '' }: ItemScope): string[] {
  return [tenant, userId];
}

/** The names in two parameters, as {@link toColumns} makes them. */
function namesIn(first: number): string {
  return `unnest($${first}::text[], $${first + 1}::text[]) AS asked (path, key)`;
}

function toColumns(names: readonly ItemNameRow[]): string[][] {
  return [names.map(({ path }) => path), names.map(({ key }) => key)];
}

function toMapKey({ path, key }: ItemNameRow): string {
  return path + key;
}
