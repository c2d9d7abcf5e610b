import type { Owner } from '../../principal.js';
import type { BlobFacts, NewBlob, NewUpload, StoredBlob, UploadLimits } from '../../runs/blob.store.js';
import { belongsTo } from '../../runs/run.js';
import {
  BlobRowStore,
  type BlobPlace,
  createLateObjectError,
  isInObject,
  toBytesColumns,
  type HeldBlobs,
  type RowOf,
} from '../objects/blob-row.store.js';
import type { BlobRecord, MemoryRecords } from './memory-records.js';

/** Blobs in memory. No method waits, so each is an atomic step. */
export class MemoryBlobStore extends BlobRowStore {
  constructor(
    private readonly records: MemoryRecords,
    private readonly clock: () => number,
  ) {
    super();
  }

  async put(blob: RowOf<NewBlob>, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    const { owner, threadKey } = blob;
    const thread = this.records.threads.get(threadKey)?.thread;
    if (!thread || !belongsTo(thread.owner, owner)) return 'gone';
    if (this.records.hasBlob(blob)) return 'stored';
    if (this.sumBytes(owner) + toBytesColumns(blob).bytes > maxOwnerBytes) return 'full';
    this.add(blob);
    return 'stored';
  }

  async upload(
    { keepMs, ...blob }: RowOf<NewUpload>,
    { maxOwnerBytes, maxUploads }: UploadLimits,
  ): Promise<'stored' | 'full'> {
    const { owner, id } = blob;
    if (this.records.findBlob(owner, id)) return 'stored';
    if (this.listUploads(owner).length >= maxUploads) return 'full';
    if (this.sumBytes(owner) + toBytesColumns(blob).bytes > maxOwnerBytes) return 'full';
    this.add({ ...blob, expiresAt: this.clock() + keepMs });
    return 'stored';
  }

  async find(owner: Owner, id: string): Promise<RowOf<StoredBlob> | undefined> {
    const found = this.records.findBlob(owner, id);
    if (!found) return undefined;
    const { mediaType, name } = found;
    const facts = { id, mediaType, ...(name !== undefined && { name }) };
    return isInObject(found)
      ? { ...facts, object: found.object, bytes: found.bytes }
      : { ...facts, data: found.data };
  }

  async has(place: BlobPlace): Promise<boolean> {
    return this.records.hasBlob(place);
  }

  async measure(owner: Owner): Promise<HeldBlobs> {
    return { bytes: this.sumBytes(owner), uploads: this.listUploads(owner).length };
  }

  async noteObject(object: string, keepMs: number): Promise<void> {
    this.records.objectNotes.set(object, { dueAt: this.clock() + keepMs, isClaimed: false });
  }

  async giveUpObject(object: string): Promise<void> {
    const note = this.records.objectNotes.get(object);
    if (note) this.records.objectNotes.set(object, { ...note, dueAt: 0 });
  }

  async claimObjects(limit: number, againMs: number): Promise<readonly string[]> {
    const { objectNotes } = this.records;
    const now = this.clock();
    const due = [...objectNotes].filter(([, { dueAt }]) => dueAt <= now).slice(0, limit);
    for (const [object] of due) objectNotes.set(object, { dueAt: now + againMs, isClaimed: true });
    return due.map(([object]) => object);
  }

  async forgetObjects(objects: readonly string[]): Promise<void> {
    for (const object of objects) this.records.objectNotes.delete(object);
  }

  async describe(owner: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]> {
    return [...new Set(ids)].flatMap((id) => {
      const found = this.records.findBlob(owner, id);
      if (!found) return [];
      const { mediaType, name } = found;
      return [{ id, mediaType, ...(name !== undefined && { name }), bytes: toBytesColumns(found).bytes }];
    });
  }

  async deleteUploads(owner: Owner, ids?: readonly string[]): Promise<void> {
    for (const upload of this.listUploads(owner))
      if (!ids || ids.includes(upload.id)) this.records.deleteBlob(upload);
  }

  async deleteExpired(limit: number): Promise<number> {
    const now = this.clock();
    const expired = [...this.records.blobs.values()].filter(
      ({ expiresAt }) => expiresAt !== undefined && expiresAt <= now,
    );
    const removed = expired.slice(0, limit);
    for (const upload of removed) this.records.deleteBlob(upload);
    return removed.length;
  }

  async deleteOldestUploads(owner: Owner, limit: number): Promise<number> {
    const removed = this.listUploads(owner).slice(0, limit);
    for (const upload of removed) this.records.deleteBlob(upload);
    return removed.length;
  }

  private add(blob: BlobRecord): void {
    if (!isInObject(blob)) {
      this.records.addBlob({ ...blob, data: blob.data.slice() });
      return;
    }
    const { objectNotes } = this.records;
    if (objectNotes.get(blob.object)?.isClaimed !== false) throw createLateObjectError();
    objectNotes.delete(blob.object);
    this.records.addBlob(blob);
  }

  private listUploads(of: Owner): BlobRecord[] {
    return this.list(of).filter(({ threadKey }) => threadKey === undefined);
  }

  private sumBytes(of: Owner): number {
    return this.list(of).reduce((sum, blob) => sum + toBytesColumns(blob).bytes, 0);
  }

  private list(of: Owner): BlobRecord[] {
    return [...this.records.blobs.values()].filter((blob) => belongsTo(blob.owner, of));
  }
}
