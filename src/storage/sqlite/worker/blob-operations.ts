import type { DatabaseSync } from 'node:sqlite';
import type { BlobFactsRow, BlobRow } from '../../blob-rows.js';

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
    INSERT INTO blobs (tenant, user_id, id, thread_id, media_type, name, bytes, created_at, data, expires_at)
    VALUES (:tenant, :userId, :id, :threadKey, :mediaType, :name, length(:data), :now, :data, :expiresAt)`);
  const describe = db.prepare(`SELECT id, media_type, name, bytes FROM blobs WHERE ${NAMED}`);
  const deleteUpload = db.prepare(`DELETE FROM blobs WHERE ${NAMED} AND expires_at IS NOT NULL`);
  const deleteAllUploads = db.prepare(`DELETE FROM blobs WHERE ${OWN} AND expires_at IS NOT NULL`);
  const deleteExpired = db.prepare(
    'DELETE FROM blobs WHERE ordinal IN (SELECT ordinal FROM blobs WHERE expires_at <= :now LIMIT :limit)',
  );
  const deleteOldest = db.prepare(`
    DELETE FROM blobs WHERE ordinal IN (
      SELECT ordinal FROM blobs INDEXED BY blobs_uploaded WHERE ${OWN} AND expires_at IS NOT NULL
      ORDER BY ordinal LIMIT :limit)`);
  const select = db.prepare(`SELECT id, media_type, name, data FROM blobs WHERE ${NAMED}`);

  return {
    putBlob({
      row,
      maxOwnerBytes,
    }: {
      readonly row: NewBlobRow;
      readonly maxOwnerBytes: number;
    }): 'stored' | 'full' | 'gone' {
      const { tenant, userId, id, threadKey, data } = row;
      if (!thread.get({ threadKey, tenant, userId })) return 'gone';
      if (exists.get({ tenant, userId, id })) return 'stored';
      const { bytes } = total.get({ tenant, userId }) as { readonly bytes: number };
      if (bytes + data.byteLength > maxOwnerBytes) return 'full';
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
    }): 'stored' | 'full' {
      const { tenant, userId, id, data } = row;
      if (exists.get({ tenant, userId, id })) return 'stored';
      const { uploads } = countUploads.get({ tenant, userId }) as { readonly uploads: number };
      const { bytes } = total.get({ tenant, userId }) as { readonly bytes: number };
      if (uploads >= maxUploads || bytes + data.byteLength > maxOwnerBytes) return 'full';
      insert.run({ ...row, threadKey: '' });
      return 'stored';
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

    getBlob(name: BlobName): BlobRow | undefined {
      return select.get({ ...name }) as unknown as BlobRow | undefined;
    },
  };
}
