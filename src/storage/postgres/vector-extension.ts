import type { Statements } from './postgres.database.js';

/** Length of the longest vector that pgvector takes. */
const MAX_DIMS = 16_000;

/** The vectors of an item that has none as numbers, or those of an earlier change: they have to be compared elsewhere. */
const VECTORS_TO_FETCH = 'CASE WHEN numbers_at = updated_at THEN NULL ELSE vectors END';

/** SQLSTATEs of statements that name a type, a function or a schema which is not there, or which we may not use. */
const UNUSABLE = new Set(['42704', '42883', '3F000', '42501']);

/**
 * The extension pgvector, which compares vectors in the database. Nothing that is stored is of its types, so that a database can be restored without
 * it, and it can be dropped at any time. Once created, it is used from the next start on.
 */
export class VectorExtension {
  private constructor(private readonly schema: string) {}

  /** Returns the extension if somebody has created it in this database; otherwise undefined. */
  static async find(database: Statements): Promise<VectorExtension | undefined> {
    const [row] = await database.query<{ schema: string }>(
      `SELECT quote_ident(nspname) AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
       WHERE extname = 'vector' AND has_schema_privilege(pg_namespace.oid, 'USAGE')`,
    );
    return row && new VectorExtension(row.schema);
  }

  takes(vector: Float32Array): boolean {
    return vector.length <= MAX_DIMS;
  }

  /**
   * Returns the columns of a candidate with its score, and with its vectors only where they have to be compared elsewhere.
   *
   * @param parameter number of the statement's parameter with {@link toParameter}
   */
  columns(parameter: number, dims: number): string {
    const { schema: s } = this;
    // The cosine with a vector of zeros is NaN there, and 0 here.
    return `${VECTORS_TO_FETCH} AS vectors,
      CASE WHEN numbers_at = updated_at AND dims = ${dims} THEN (
        SELECT max(coalesce(nullif(1 - ${s}.cosine_distance(
          numbers[start:start + ${dims - 1}]::${s}.vector, $${parameter}::text::${s}.vector), 'NaN'), 0))
        FROM generate_series(1, cardinality(numbers), ${dims}) AS start
      ) END AS score`;
  }

  /** Returns the first of `rows`, in the order of their ids, with at most `maxVectors` whose vectors have to be compared elsewhere. */
  within(rows: string, maxVectors: number): string {
    return `SELECT * FROM (SELECT *, count(${VECTORS_TO_FETCH}) OVER (ORDER BY id) AS fetched FROM (${rows}) AS items) AS items
      WHERE fetched <= ${maxVectors}`;
  }

  toParameter(vector: Float32Array): string {
    return `[${vector.join()}]`;
  }
}

/** True if a statement with the extension may have failed because it was dropped, moved or forbidden since it was found. */
export function isUnusable(failure: unknown): boolean {
  const { code } = ((failure as Error | undefined)?.cause ?? {}) as { readonly code?: unknown };
  return UNUSABLE.has(String(code));
}

/** Vectors as PostgreSQL's text for an array of numbers, and the length of one. */
export interface VectorNumbers {
  readonly dims: number | null;
  readonly numbers: string | null;
}

/** @param packed as {@link packVectors} makes it */
export function toNumbers(packed: Uint8Array | null): VectorNumbers {
  if (!packed) return { dims: null, numbers: null };
  const [dims = 0, ...numbers] = new Float32Array(new Uint8Array(packed).buffer);
  return { dims, numbers: `{${numbers.join()}}` };
}
