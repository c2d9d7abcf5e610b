import type { Owner } from '../../principal.js';
import {
  BlobStore,
  type BlobFacts,
  type NewBlob,
  type NewUpload,
  type StoredBlob,
  type UploadLimits,
} from '../../runs/blob.store.js';
import { belongsTo } from '../../runs/run.js';
import { toNameKey, type BlobRecord, type MemoryRecords } from './memory-records.js';

/** Blobs in memory. No method waits, so each is an atomic step. */
export class MemoryBlobStore extends BlobStore {
  constructor(
    private readonly records: MemoryRecords,
    private readonly clock: () => number,
  ) {
    super();
  }

  async put(blob: NewBlob, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    const { blobs, threads } = this.records;
    const { owner, threadKey, id } = blob;
    const thread = threads.get(threadKey)?.thread;
    if (!thread || !belongsTo(thread.owner, owner)) return 'gone';
    const key = toNameKey(owner, id);
    if (blobs.has(key)) return 'stored';
    if (this.sumBytes(owner) + blob.data.byteLength > maxOwnerBytes) return 'full';
    blobs.set(key, { ...blob, data: blob.data.slice() });
    return 'stored';
  }

  async upload(
    { keepMs, ...blob }: NewUpload,
    { maxOwnerBytes, maxUploads }: UploadLimits,
  ): Promise<'stored' | 'full'> {
    const { owner, id, data } = blob;
    const key = toNameKey(owner, id);
    if (this.records.blobs.has(key)) return 'stored';
    if (this.listUploads(owner).length >= maxUploads) return 'full';
    if (this.sumBytes(owner) + data.byteLength > maxOwnerBytes) return 'full';
    this.records.blobs.set(key, { ...blob, data: data.slice(), expiresAt: this.clock() + keepMs });
    return 'stored';
  }

  async get(owner: Owner, id: string): Promise<StoredBlob | undefined> {
    const found = this.records.blobs.get(toNameKey(owner, id));
    if (!found) return undefined;
    const { mediaType, name, data } = found;
    return { id, mediaType, ...(name !== undefined && { name }), data };
  }

  async describe(owner: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]> {
    return [...new Set(ids)].flatMap((id) => {
      const found = this.records.blobs.get(toNameKey(owner, id));
      if (!found) return [];
      const { mediaType, name, data } = found;
      return [{ id, mediaType, ...(name !== undefined && { name }), bytes: data.byteLength }];
    });
  }

  async deleteUploads(owner: Owner, ids?: readonly string[]): Promise<void> {
    for (const { id } of this.listUploads(owner))
      if (!ids || ids.includes(id)) this.records.blobs.delete(toNameKey(owner, id));
  }

  async deleteExpired(limit: number): Promise<number> {
    const now = this.clock();
    const expired = [...this.records.blobs].filter(
      ([, { expiresAt }]) => expiresAt !== undefined && expiresAt <= now,
    );
    const removed = expired.slice(0, limit);
    for (const [key] of removed) this.records.blobs.delete(key);
    return removed.length;
  }

  async deleteOldestUploads(owner: Owner, limit: number): Promise<number> {
    const removed = this.listUploads(owner).slice(0, limit);
    for (const { id } of removed) this.records.blobs.delete(toNameKey(owner, id));
    return removed.length;
  }

  private listUploads(of: Owner): BlobRecord[] {
    return this.list(of).filter(({ threadKey }) => threadKey === undefined);
  }

  private sumBytes(of: Owner): number {
    return this.list(of).reduce((bytes, { data }) => bytes + data.byteLength, 0);
  }

  private list(of: Owner): BlobRecord[] {
    return [...this.records.blobs.values()].filter((blob) => belongsTo(blob.owner, of));
  }
}
