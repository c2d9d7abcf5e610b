import type { Owner } from '../../principal.js';
import {
  BlobStore,
  type BlobFacts,
  type NewBlob,
  type NewUpload,
  type StoredBlob,
  type UploadLimits,
} from '../../runs/blob.store.js';
import { toBlob, toBlobFacts } from '../blob-rows.js';
import type { SqliteClient } from './sqlite.client.js';

export class SqliteBlobStore extends BlobStore {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  put({ owner, name, ...blob }: NewBlob, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    const { tenant, userId } = owner;
    const row = { ...blob, tenant, userId, name: name ?? null, now: this.clock() };
    return this.client.call('putBlob', { row, maxOwnerBytes });
  }

  upload(
    { owner, name, keepMs, ...blob }: NewUpload,
    { maxOwnerBytes, maxUploads }: UploadLimits,
  ): Promise<'stored' | 'full'> {
    const { tenant, userId } = owner;
    const now = this.clock();
    const row = { ...blob, tenant, userId, name: name ?? null, now, expiresAt: now + keepMs };
    return this.client.call('putUpload', { row, maxOwnerBytes, maxUploads });
  }

  async get({ tenant, userId }: Owner, id: string): Promise<StoredBlob | undefined> {
    const row = await this.client.call('getBlob', { tenant, userId, id });
    return row && toBlob(row);
  }

  async describe({ tenant, userId }: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]> {
    const rows = await this.client.call('describeBlobs', { of: { tenant, userId }, ids: [...new Set(ids)] });
    return rows.map(toBlobFacts);
  }

  deleteUploads({ tenant, userId }: Owner, ids?: readonly string[]): Promise<void> {
    return this.client.call('deleteUploads', { of: { tenant, userId }, ...(ids && { ids: [...ids] }) });
  }

  deleteExpired(limit: number): Promise<number> {
    return this.client.call('deleteExpiredUploads', { now: this.clock(), limit });
  }

  deleteOldestUploads({ tenant, userId }: Owner, limit: number): Promise<number> {
    return this.client.call('deleteOldestUploads', { tenant, userId, limit });
  }
}
