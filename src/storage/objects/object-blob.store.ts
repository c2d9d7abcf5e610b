import type { Owner } from '../../principal.js';
import {
  BlobStore,
  type BlobFacts,
  type NewBlob,
  type NewUpload,
  type StoredBlob,
  type UploadLimits,
} from '../../runs/blob.store.js';
import { newId } from '../../runs/run-ids.js';
import { isInObject, type BlobRowStore, type ObjectBytes } from './blob-row.store.js';
import type { ObjectStore } from './object.store.js';

/** Time in which an object has to be stored and named by a row, in milliseconds. Far more than the patience of the stores together. */
const KEEP_UNNAMED_MS = 15 * 60_000;

/** Time after which another attempt is made to remove an object, in milliseconds. */
const REMOVE_AGAIN_MS = 5 * 60_000;

/**
 * Files whose bytes are in an object store. Their rows are in the database, and what the rows say counts: who owns a file, how much an owner has, and
 * that it is deleted with its thread.
 *
 * The two systems have no common transaction. So the object goes first and its row second: a row always has its object. When a row is
 * deleted, by whatever step, the database notes the object in the same step, and {@link removeLeftovers} removes it later. The same note, written before
 * the object is stored, removes what a crash between the two has left.
 */
export class ObjectBlobStore extends BlobStore {
  constructor(
    private readonly rows: BlobRowStore,
    private readonly objects: ObjectStore,
  ) {
    super();
  }

  async put({ data, ...blob }: NewBlob, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'> {
    // A step that is repeated after a takeover stores nothing twice.
    if (await this.rows.has(blob)) return 'stored';
    return this.rows.put({ ...blob, ...(await this.store(data)) }, maxOwnerBytes);
  }

  async upload({ data, ...upload }: NewUpload, limits: UploadLimits): Promise<'stored' | 'full'> {
    if ((await this.rows.describe(upload.owner, [upload.id])).length > 0) return 'stored';
    return this.rows.upload({ ...upload, ...(await this.store(data)) }, limits);
  }

  async get(owner: Owner, id: string): Promise<StoredBlob | undefined> {
    const row = await this.rows.find(owner, id);
    if (!row || !isInObject(row)) return row;
    const { object, bytes, ...facts } = row;
    const data = await this.objects.get(object, bytes);
    return data && { ...facts, data };
  }

  describe(owner: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]> {
    return this.rows.describe(owner, ids);
  }

  deleteUploads(owner: Owner, ids?: readonly string[]): Promise<void> {
    return this.rows.deleteUploads(owner, ids);
  }

  deleteExpired(limit: number): Promise<number> {
    return this.rows.deleteExpired(limit);
  }

  deleteOldestUploads(owner: Owner, limit: number): Promise<number> {
    return this.rows.deleteOldestUploads(owner, limit);
  }

  override async removeLeftovers(limit: number, signal?: AbortSignal): Promise<number> {
    const claimed = await this.rows.claimObjects(limit, REMOVE_AGAIN_MS);
    if (claimed.length === 0) return 0;
    const removals = await Promise.allSettled(claimed.map((object) => this.objects.delete(object, signal)));
    await this.rows.forgetObjects(claimed.filter((_, index) => removals[index]?.status === 'fulfilled'));
    const failed = removals.find((removal) => removal.status === 'rejected');
    if (failed) throw failed.reason;
    return claimed.length;
  }

  /** The name is new: two processes that store the same file, or the same file again after a deletion, have an object each. */
  private async store(data: Uint8Array): Promise<ObjectBytes> {
    const object = newId();
    await this.rows.noteObject(object, KEEP_UNNAMED_MS);
    await this.objects.put(object, data);
    return { object, bytes: data.byteLength };
  }
}

/** Returns the files of a storage: their bytes are in its database, or in an object store if there is one. */
export function withObjects(rows: BlobRowStore, objects: ObjectStore | undefined): BlobStore {
  return objects ? new ObjectBlobStore(rows, objects) : rows;
}
