import type { Owner } from '../principal.js';

/** Bytes of a conversation that are too large for its log, such as an image in an answer. */
export interface StoredBlob {
  /** Unique in its thread. A copy of a thread has the same files under the same ids. */
  readonly id: string;
  /** Media type, such as `image/png`. */
  readonly mediaType: string;
  /** Name of the file. */
  readonly name?: string;
  readonly data: Uint8Array;
}

export interface NewBlob extends StoredBlob {
  readonly owner: Owner;
  /** Key of the thread with which the blob is deleted. */
  readonly threadKey: string;
}

/** A file that its owner has sent before the message that names it. */
export interface NewUpload extends StoredBlob {
  readonly owner: Owner;
  /** Time until it is removed, unless a run takes it, in milliseconds. */
  readonly keepMs: number;
}

/** Facts of a blob, without its bytes. */
export interface BlobFacts extends Omit<StoredBlob, 'data'> {
  readonly bytes: number;
}

/** Maximum of what one owner may hold. */
export interface UploadLimits {
  /** Bytes of all blobs of the owner. */
  readonly maxOwnerBytes: number;
  /** Uploads that no run has taken. */
  readonly maxUploads: number;
}

/**
 * Port: the files of conversations. A blob belongs to the owner of its thread, and is deleted in the same atomic step as the thread. An upload belongs
 * to no thread yet: {@link RunStore.create} makes it a blob of the thread in the step that stores a run which names it.
 *
 * Every method is one atomic step; all reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class BlobStore {
  /**
   * Stores a blob. A blob of the thread with the same id stays as it is; one of another thread, as a copy of it has, makes no difference. Returns `full`, and stores nothing, if the owner's blobs would take more than
   * `maxOwnerBytes`; returns `gone` if the owner has no thread with that key.
   */
  abstract put(blob: NewBlob, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'>;

  /**
   * Stores an upload. One with the same owner and id stays as it is. Returns `full`, and stores nothing, if the owner's blobs or uploads would be more
   * than `limits`.
   */
  abstract upload(upload: NewUpload, limits: UploadLimits): Promise<'stored' | 'full'>;

  /** Returns the owner's blob with that id; undefined if there is none. */
  abstract get(owner: Owner, id: string): Promise<StoredBlob | undefined>;

  /** Returns the facts of the owner's blobs with these ids, without those that do not exist. In no order. */
  abstract describe(owner: Owner, ids: readonly string[]): Promise<readonly BlobFacts[]>;

  /** Removes uploads of the owner that no run has taken: those with these ids, or all. */
  abstract deleteUploads(owner: Owner, ids?: readonly string[]): Promise<void>;

  /** Removes at most `limit` uploads whose time is over. Returns how many it has removed. */
  abstract deleteExpired(limit: number): Promise<number>;

  /** Removes at most `limit` uploads of the owner that no run has taken, the earliest first. Returns how many it has removed. */
  abstract deleteOldestUploads(owner: Owner, limit: number): Promise<number>;

  /**
   * Removes at most `limit` pieces of what deleted blobs have left outside the step that deleted them. Returns how many it has removed. Rejects when
   * `signal` aborts; what is left is removed later. Default: there are none.
   */
  async removeLeftovers(_limit: number, _signal?: AbortSignal): Promise<number> {
    return 0;
  }
}
