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
 * the object is stored, removes what a crash between the two has left. What an owner may hold is looked at before anything is stored, and decided with the row.
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
    const { bytes } = await this.rows.measure(blob.owner);
    if (bytes + data.byteLength > maxOwnerBytes) return 'full';
    return this.store(data, (stored) => this.rows.put({ ...blob, ...stored }, maxOwnerBytes));
  }

  async upload({ data, ...upload }: NewUpload, limits: UploadLimits): Promise<'stored' | 'full'> {
    if ((await this.rows.describe(upload.owner, [upload.id])).length > 0) return 'stored';
    const { bytes, uploads } = await this.rows.measure(upload.owner);
    if (uploads >= limits.maxUploads || bytes + data.byteLength > limits.maxOwnerBytes) return 'full';
    return this.store(data, (stored) => this.rows.upload({ ...upload, ...stored }, limits));
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

  /**
   * Stores an object and then its row. The name is new: two processes that store the same file, or the same file again after a deletion, have an object each.
   */
  private async store<Outcome extends 'stored' | 'full' | 'gone'>(
    data: Uint8Array,
    storeRow: (stored: ObjectBytes) => Promise<Outcome>,
  ): Promise<Outcome> {
    const object = newId();
    await this.rows.noteObject(object, KEEP_UNNAMED_MS);
    // If this fails, the note keeps its time: the object may still arrive, even after a removal.
    await this.objects.put(object, data);
    try {
      const outcome = await storeRow({ object, bytes: data.byteLength });
      if (outcome !== 'stored') await this.giveUp(object);
      return outcome;
    } catch (error) {
      // The row may be stored, and only its answer be lost. Then it has taken the note.
      await this.giveUp(object);
      throw error;
    }
  }

  /** Never rejects: the note has a time of its own. */
  private async giveUp(object: string): Promise<void> {
    await this.rows.giveUpObject(object).catch(() => undefined);
  }
}

/** Returns the files of a storage: their bytes are in its database, or in an object store if there is one. */
export function withObjects(rows: BlobRowStore, objects: ObjectStore | undefined): BlobStore {
  return objects ? new ObjectBlobStore(rows, objects) : rows;
}
