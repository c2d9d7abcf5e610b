import type { DatabaseSync } from 'node:sqlite';
import type { BlobFactsRow, BlobRow } from '../../blob-rows.js';
import type { HeldBlobs } from '../../objects/blob-row.store.js';

export interface BlobName {
  readonly tenant: string;
  readonly userId: string;
  readonly id: string;
}

export interface NewBlobRow extends BlobName {
  readonly threadKey: string;
  readonly mediaType: string;
  readonly name: string | null;
  readonly data: Uint8Array;
  readonly bytes: number;
  /** Name of the object that has the bytes; null if `data` has them. */
  readonly object: string | null;
  readonly now: number;
}

export interface NewUploadRow extends Omit<NewBlobRow, 'threadKey'> {
  readonly expiresAt: number;
}

type Of = Omit<BlobName, 'id'>;

const OWN = 'tenant = :tenant AND user_id = :userId';
const NAMED = `${OWN} AND id = :id`;

export function blobOperations(db: DatabaseSync) {
  const exists = db.prepare(`SELECT 1 FROM blobs WHERE ${NAMED}`);
  const existsIn = db.prepare(`SELECT 1 FROM blobs WHERE ${NAMED} AND thread_id = :threadKey`);
  const thread = db.prepare(
    'SELECT 1 FROM threads WHERE id = :threadKey AND tenant = :tenant AND user_id = :userId',
  );
  const total = db.prepare(
    `SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs INDEXED BY blobs_kept WHERE ${OWN}`,
  );
  const countUploads = db.prepare(
    `SELECT count(*) AS uploads FROM blobs INDEXED BY blobs_uploaded WHERE ${OWN} AND expires_at IS NOT NULL`,
  );
  const insert = db.prepare(`
    INSERT INTO blobs (tenant, user_id, id, thread_id, media_type, name, bytes, created_at, data, expires_at, object)
    VALUES (:tenant, :userId, :id, :threadKey, :mediaType, :name, :bytes, :now, :data, :expiresAt, :object)`);
  const describe = db.prepare(`SELECT id, media_type, name, bytes FROM blobs WHERE ${NAMED} LIMIT 1`);
  const deleteUpload = db.prepare(`DELETE FROM blobs WHERE ${NAMED} AND expires_at IS NOT NULL`);
  const deleteAllUploads = db.prepare(`DELETE FROM blobs WHERE ${OWN} AND expires_at IS NOT NULL`);
  const deleteExpired = db.prepare(
    'DELETE FROM blobs WHERE ordinal IN (SELECT ordinal FROM blobs WHERE expires_at <= :now LIMIT :limit)',
  );
  const deleteOldest = db.prepare(`
    DELETE FROM blobs WHERE ordinal IN (
      SELECT ordinal FROM blobs INDEXED BY blobs_uploaded WHERE ${OWN} AND expires_at IS NOT NULL
      ORDER BY ordinal LIMIT :limit)`);
  const select = db.prepare(`SELECT id, media_type, name, data, object, bytes FROM blobs WHERE ${NAMED}`);
  const takeNote = db.prepare('DELETE FROM object_notes WHERE object = ? AND claimed = 0');
  const insertNote = db.prepare(
    'INSERT OR REPLACE INTO object_notes (object, due_at, claimed) VALUES (:object, :dueAt, 0)',
  );
  const claimNotes = db.prepare(`
    UPDATE object_notes SET claimed = 1, due_at = :againAt
    WHERE object IN (SELECT object FROM object_notes WHERE due_at <= :now ORDER BY due_at LIMIT :limit) RETURNING object`);
  const giveUpNote = db.prepare('UPDATE object_notes SET due_at = 0 WHERE object = ?');
  const deleteNote = db.prepare('DELETE FROM object_notes WHERE object = ?');
  /** False if the object may be removed at any moment. */
  const takeObject = (object: string) => takeNote.run(object).changes === 1;

  return {
    putBlob({
      row,
      maxOwnerBytes,
    }: {
      readonly row: NewBlobRow;
      readonly maxOwnerBytes: number;
    }): 'stored' | 'full' | 'gone' | 'late' {
      const { tenant, userId, id, threadKey, object } = row;
      if (!thread.get({ threadKey, tenant, userId })) return 'gone';
      if (existsIn.get({ tenant, userId, id, threadKey })) return 'stored';
      const { bytes } = total.get({ tenant, userId }) as { readonly bytes: number };
      if (bytes + row.bytes > maxOwnerBytes) return 'full';
      if (object !== null && !takeObject(object)) return 'late';
      insert.run({ ...row, expiresAt: null });
      return 'stored';
    },

    putUpload({
      row,
      maxOwnerBytes,
      maxUploads,
    }: {
      readonly row: NewUploadRow;
      readonly maxOwnerBytes: number;
      readonly maxUploads: number;
    }): 'stored' | 'full' | 'late' {
      const { tenant, userId, id, object } = row;
      if (exists.get({ tenant, userId, id })) return 'stored';
      const { uploads } = countUploads.get({ tenant, userId }) as { readonly uploads: number };
      const { bytes } = total.get({ tenant, userId }) as { readonly bytes: number };
      if (uploads >= maxUploads || bytes + row.bytes > maxOwnerBytes) return 'full';
      if (object !== null && !takeObject(object)) return 'late';
      insert.run({ ...row, threadKey: '' });
      return 'stored';
    },

    hasBlob({ tenant, userId, id, threadKey }: BlobName & { readonly threadKey: string }): boolean {
      return existsIn.get({ tenant, userId, id, threadKey }) !== undefined;
    },

    describeBlobs({ of, ids }: { readonly of: Of; readonly ids: readonly string[] }): BlobFactsRow[] {
      return ids.flatMap((id) => (describe.get({ ...of, id }) as unknown as BlobFactsRow | undefined) ?? []);
    },

    deleteUploads({ of, ids }: { readonly of: Of; readonly ids?: readonly string[] }): void {
      if (ids) for (const id of ids) deleteUpload.run({ ...of, id });
      else deleteAllUploads.run({ ...of });
    },

    deleteExpiredUploads(input: { readonly now: number; readonly limit: number }): number {
      return Number(deleteExpired.run({ ...input }).changes);
    },

    deleteOldestUploads(input: Of & { readonly limit: number }): number {
      return Number(deleteOldest.run({ ...input }).changes);
    },

    measureBlobs(of: Of): HeldBlobs {
      const { bytes } = total.get({ ...of }) as { readonly bytes: number };
      const { uploads } = countUploads.get({ ...of }) as { readonly uploads: number };
      return { bytes, uploads };
    },

    noteObject(note: { readonly object: string; readonly dueAt: number }): void {
      insertNote.run({ ...note });
    },

    giveUpObject(object: string): void {
      giveUpNote.run(object);
    },

    claimObjects(input: {
      readonly now: number;
      readonly againAt: number;
      readonly limit: number;
    }): string[] {
      return claimNotes.all({ ...input }).map(({ object }) => object as string);
    },

    forgetObjects(objects: readonly string[]): void {
      for (const object of objects) deleteNote.run(object);
    },

    getBlob(name: BlobName): BlobRow | undefined {
      return select.get({ ...name }) as unknown as BlobRow | undefined;
    },
  };
}
