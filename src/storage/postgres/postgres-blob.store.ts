import type { Owner } from '../../principal.js';
import type { BlobFacts, NewBlob, NewUpload, StoredBlob, UploadLimits } from '../../runs/blob.store.js';
import { toBlob, toBlobFacts, type BlobFactsRow, type BlobRow } from '../blob-rows.js';
import {
  BlobRowStore,
  type BlobPlace,
  createLateObjectError,
  toBytesColumns,
  type HeldBlobs,
  type RowOf,
} from '../objects/blob-row.store.js';
import { OwnerTurns } from './owner-turns.js';
import type { PostgresDatabase, Statements } from './postgres.database.js';

/** The blobs of an owner, and one among them. */
interface Held extends HeldBlobs {
  readonly exists: boolean | null;
}

export class PostgresBlobStore extends BlobRowStore {
  /** A transaction waits for the owner's lock on a connection: only one of an owner may, or uploads would take all of the pool. */
  private readonly turns = new OwnerTurns();

  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  put(blob: RowOf<NewBlob>, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    const { owner, threadKey } = blob;
    return this.store(owner, async (tx) => {
      // Held until the end: a deletion of the thread waits for it, and then removes the blob.
      const threads = await tx.query(
        `SELECT 1 FROM ${this.database.schema}.threads WHERE id = $1 AND tenant = $2 AND user_id = $3 FOR KEY SHARE`,
        [threadKey, owner.tenant, owner.userId],
      );
      if (threads.length === 0) return 'gone';
      const held = await this.readHeld(tx, blob, threadKey);
      if (held.exists) return 'stored';
      if (held.bytes + toBytesColumns(blob).bytes > maxOwnerBytes) return 'full';
      await this.insert(tx, blob, { threadKey, keepMs: null });
      return 'stored';
    });
  }

  upload(
    { keepMs, ...blob }: RowOf<NewUpload>,
    { maxOwnerBytes, maxUploads }: UploadLimits,
  ): Promise<'stored' | 'full'> {
    return this.store(blob.owner, async (tx) => {
      const held = await this.readHeld(tx, blob);
      if (held.exists) return 'stored';
      const { bytes } = toBytesColumns(blob);
      if (held.uploads >= maxUploads || held.bytes + bytes > maxOwnerBytes) return 'full';
      await this.insert(tx, blob, { threadKey: '', keepMs });
      return 'stored';
    });
  }

  async find({ tenant, userId }: Owner, id: string): Promise<RowOf<StoredBlob> | undefined> {
    const [row] = await this.database.query<BlobRow>(
      `SELECT id, media_type, name, data, object, bytes FROM ${this.database.schema}.blobs
       WHERE tenant = $1 AND user_id = $2 AND id = $3 LIMIT 1`,
      [tenant, userId, id],
    );
    return row && toBlob(withName(row));
  }

  async has({ owner, id, threadKey }: BlobPlace): Promise<boolean> {
    const rows = await this.database.query(
      `SELECT 1 FROM ${this.database.schema}.blobs WHERE tenant = $1 AND user_id = $2 AND id = $3 AND thread_id = $4`,
      [owner.tenant, owner.userId, id, threadKey],
    );
    return rows.length > 0;
  }

  async describe({ tenant, userId }: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]> {
    const rows = await this.database.query<BlobFactsRow>(
      `SELECT DISTINCT ON (id) id, media_type, name, bytes FROM ${this.database.schema}.blobs
       WHERE tenant = $1 AND user_id = $2 AND id = ANY($3)`,
      [tenant, userId, [...ids]],
    );
    return rows.map((row) => toBlobFacts(withName(row)));
  }

  async deleteUploads({ tenant, userId }: Owner, ids?: readonly string[]): Promise<void> {
    await this.database.query(
      `DELETE FROM ${this.database.schema}.blobs
       WHERE tenant = $1 AND user_id = $2 AND expires_at IS NOT NULL AND ($3::text[] IS NULL OR id = ANY($3))`,
      [tenant, userId, ids ? [...ids] : null],
    );
  }

  async deleteExpired(limit: number): Promise<number> {
    const { schema: s } = this.database;
    const rows = await this.database.query(
      `DELETE FROM ${s}.blobs WHERE (tenant, user_id, id, thread_id) IN (
         SELECT tenant, user_id, id, thread_id FROM ${s}.blobs WHERE expires_at <= ${s}.now_ms() LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [limit],
    );
    return rows.length;
  }

  async deleteOldestUploads({ tenant, userId }: Owner, limit: number): Promise<number> {
    const { schema: s } = this.database;
    const rows = await this.database.query(
      `DELETE FROM ${s}.blobs WHERE tenant = $1 AND user_id = $2 AND thread_id = '' AND id IN (
         SELECT id FROM ${s}.blobs WHERE tenant = $1 AND user_id = $2 AND expires_at IS NOT NULL
         ORDER BY created_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [tenant, userId, limit],
    );
    return rows.length;
  }

  async measure(owner: Owner): Promise<HeldBlobs> {
    const { bytes, uploads } = await this.readHeld(this.database, { owner });
    return { bytes, uploads };
  }

  async noteObject(object: string, keepMs: number): Promise<void> {
    const { schema: s } = this.database;
    await this.database.query(
      `INSERT INTO ${s}.object_notes (object, due_at, claimed) VALUES ($1, ${s}.now_ms() + $2::bigint, false)
       ON CONFLICT (object) DO NOTHING`,
      [object, keepMs],
    );
  }

  async giveUpObject(object: string): Promise<void> {
    await this.database.query(
      `UPDATE ${this.database.schema}.object_notes SET due_at = 0 WHERE object = $1`,
      [object],
    );
  }

  async claimObjects(limit: number, againMs: number): Promise<readonly string[]> {
    const { schema: s } = this.database;
    const rows = await this.database.query<{ readonly object: string }>(
      `UPDATE ${s}.object_notes SET claimed = true, due_at = ${s}.now_ms() + $2::bigint WHERE object IN (
         SELECT object FROM ${s}.object_notes WHERE due_at <= ${s}.now_ms()
         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING object`,
      [limit, againMs],
    );
    return rows.map(({ object }) => object);
  }

  async forgetObjects(objects: readonly string[]): Promise<void> {
    await this.database.query(`DELETE FROM ${this.database.schema}.object_notes WHERE object = ANY($1)`, [
      [...objects],
    ]);
  }

  /** From here on a row names the object. @throws AppError STORAGE_FAILED if it may be removed at any moment */
  private async takeObject(tx: Statements, object: string): Promise<void> {
    const taken = await tx.query(
      `DELETE FROM ${this.database.schema}.object_notes WHERE object = $1 AND NOT claimed RETURNING object`,
      [object],
    );
    if (taken.length === 0) throw createLateObjectError();
  }

  /** One blob of an owner at a time, so that two together cannot exceed the limit. */
  private store<Result>(
    { tenant, userId }: Owner,
    work: (tx: Statements) => Promise<Result>,
  ): Promise<Result> {
    return this.turns.take({ tenant, userId }, () =>
      this.database.transaction(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
          `${this.database.schema}.blobs:${JSON.stringify([tenant, userId])}`,
        ]);
        return work(tx);
      }),
    );
  }

  /** @param threadKey of the thread in which the blob is looked for. Default: in any, and among the uploads */
  private async readHeld(
    tx: Pick<Statements, 'query'>,
    { owner, id }: { readonly owner: Owner; readonly id?: string },
    threadKey?: string,
  ): Promise<Held> {
    const [held] = await tx.query<Held>(
      `SELECT bool_or(id = $3 AND ($4::text IS NULL OR thread_id = $4)) AS exists, coalesce(sum(bytes), 0)::bigint AS bytes,
         count(*) FILTER (WHERE expires_at IS NOT NULL) AS uploads
       FROM ${this.database.schema}.blobs WHERE tenant = $1 AND user_id = $2`,
      [owner.tenant, owner.userId, id ?? null, threadKey ?? null],
    );
    return held ?? { exists: null, bytes: 0, uploads: 0 };
  }

  private async insert(
    tx: Statements,
    blob: RowOf<StoredBlob> & { readonly owner: Owner },
    { threadKey, keepMs }: { readonly threadKey: string; readonly keepMs: number | null },
  ): Promise<void> {
    const { schema: s } = this.database;
    const { owner, id, mediaType, name } = blob;
    const { data, bytes, object } = toBytesColumns(blob);
    if (object !== null) await this.takeObject(tx, object);
    await tx.query(
      `INSERT INTO ${s}.blobs (tenant, user_id, id, thread_id, media_type, name, bytes, created_at, data, expires_at, object)
       VALUES ($1, $2, $3, $4, $5, $6, $7, ${s}.now_ms(), $8, ${s}.now_ms() + $9::bigint, $10)`,
      [
        owner.tenant,
        owner.userId,
        id,
        threadKey,
        mediaType,
        name === undefined ? null : JSON.stringify(name),
        bytes,
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        keepMs,
        object,
      ],
    );
  }
}

function withName<Row extends { readonly name: string | null }>(row: Row): Row {
  return { ...row, name: row.name === null ? null : (JSON.parse(row.name) as string) };
}
