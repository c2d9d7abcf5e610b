import type { Owner } from '../../principal.js';
import type { BlobFacts, NewBlob, NewUpload, StoredBlob, UploadLimits } from '../../runs/blob.store.js';
import { toBlob, toBlobFacts } from '../blob-rows.js';
import {
  BlobRowStore,
  type BlobPlace,
  createLateObjectError,
  toBytesColumns,
  type HeldBlobs,
  type RowOf,
} from '../objects/blob-row.store.js';
import type { SqliteClient } from './sqlite.client.js';

export class SqliteBlobStore extends BlobRowStore {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  async put(blob: RowOf<NewBlob>, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    const row = { ...this.toRow(blob), threadKey: blob.threadKey };
    const outcome = await this.client.call('putBlob', { row, maxOwnerBytes });
    if (outcome === 'late') throw createLateObjectError();
    return outcome;
  }

  async upload(
    upload: RowOf<NewUpload>,
    { maxOwnerBytes, maxUploads }: UploadLimits,
  ): Promise<'stored' | 'full'> {
    const row = this.toRow(upload);
    const expiring = { ...row, expiresAt: row.now + upload.keepMs };
    const outcome = await this.client.call('putUpload', { row: expiring, maxOwnerBytes, maxUploads });
    if (outcome === 'late') throw createLateObjectError();
    return outcome;
  }

  async find({ tenant, userId }: Owner, id: string): Promise<RowOf<StoredBlob> | undefined> {
    const row = await this.client.call('getBlob', { tenant, userId, id });
    return row && toBlob(row);
  }

  has({ owner: { tenant, userId }, id, threadKey }: BlobPlace): Promise<boolean> {
    return this.client.call('hasBlob', { tenant, userId, id, threadKey });
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

  measure({ tenant, userId }: Owner): Promise<HeldBlobs> {
    return this.client.call('measureBlobs', { tenant, userId });
  }

  noteObject(object: string, keepMs: number): Promise<void> {
    return this.client.call('noteObject', { object, dueAt: this.clock() + keepMs });
  }

  giveUpObject(object: string): Promise<void> {
    return this.client.call('giveUpObject', object);
  }

  claimObjects(limit: number, againMs: number): Promise<readonly string[]> {
    const now = this.clock();
    return this.client.call('claimObjects', { now, againAt: now + againMs, limit });
  }

  forgetObjects(objects: readonly string[]): Promise<void> {
    return this.client.call('forgetObjects', [...objects]);
  }

  private toRow(blob: RowOf<StoredBlob> & { readonly owner: Owner }) {
    const { owner, id, mediaType, name = null } = blob;
    const { tenant, userId } = owner;
    return { tenant, userId, id, mediaType, name, ...toBytesColumns(blob), now: this.clock() };
  }
}
