import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import type { Owner } from '../../principal.js';
import {
  BlobStore,
  type NewBlob,
  type NewUpload,
  type StoredBlob,
  type UploadLimits,
} from '../../runs/blob.store.js';

/** Bytes that an object store has, by the object's name. */
export interface ObjectBytes {
  readonly object: string;
  readonly bytes: number;
}

/** What an owner holds. */
export interface HeldBlobs {
  readonly bytes: number;
  /** Uploads that no run has taken. */
  readonly uploads: number;
}

/** A file without its bytes. */
type WithoutData<File> = Omit<File, 'data'>;

/** A file whose bytes are in its row, or in an object. */
export type RowOf<File extends StoredBlob> = File | (WithoutData<File> & ObjectBytes);

/** A file of a thread. */
export type BlobPlace = Pick<NewBlob, 'owner' | 'threadKey' | 'id'>;

/**
 * The files of a storage as rows of its database. The bytes of a row are in it, or in an object of an {@link ObjectStore}; then the row has the object's name.
 *
 * The database also has a note for each object that no row names: from before the object is stored until a row names it, and from the step that deletes the
 * row until the object is removed. So no crash leaves an object of which the database knows nothing.
 */
export abstract class BlobRowStore extends BlobStore {
  /** @throws AppError STORAGE_FAILED, also if the row names an object whose note is gone: storing it has taken too long */
  abstract override put(blob: RowOf<NewBlob>, maxOwnerBytes: number): Promise<'stored' | 'full' | 'gone'>;

  /** @throws AppError STORAGE_FAILED, as `put` */
  abstract override upload(upload: RowOf<NewUpload>, limits: UploadLimits): Promise<'stored' | 'full'>;

  /** Returns the owner's file with that id, as its row is; undefined if there is none. */
  abstract find(owner: Owner, id: string): Promise<RowOf<StoredBlob> | undefined>;

  /** True if the owner's thread has a file with that id. Other threads, such as copies of it, play no part. */
  abstract has(place: BlobPlace): Promise<boolean>;

  /** Returns what the owner holds. It may be more or less in the next moment. */
  abstract measure(owner: Owner): Promise<HeldBlobs>;

  /** Notes an object that is about to be stored. It may be removed after so many milliseconds unless a row names it by then. */
  abstract noteObject(object: string, keepMs: number): Promise<void>;

  /** Lets an object be removed at once that has been noted. Does nothing if a row names it. */
  abstract giveUpObject(object: string): Promise<void>;

  /**
   * Returns the names of at most `limit` objects that are to be removed. No row can name them any more. They are returned again after `againMs`, unless
   * they are forgotten by then.
   */
  abstract claimObjects(limit: number, againMs: number): Promise<readonly string[]>;

  /** Removes the notes of objects that are removed. */
  abstract forgetObjects(objects: readonly string[]): Promise<void>;

  async get(owner: Owner, id: string): Promise<StoredBlob | undefined> {
    const row = await this.find(owner, id);
    if (!row || 'data' in row) return row;
    throw new AppError(
      'STORAGE_FAILED',
      `The bytes of this file are in an object store, and none is set. Set ${nameOption('objects of the storage')}.`,
    );
  }
}

export function isInObject<File extends StoredBlob>(
  row: RowOf<File>,
): row is WithoutData<File> & ObjectBytes {
  return 'object' in row;
}

/** Returns the error of a row that names an object which may be removed at any moment. */
export function createLateObjectError(): AppError {
  return new AppError('STORAGE_FAILED', 'The file took too long to be stored. Try again.', {
    retryable: true,
  });
}

/** Returns the columns of a row that tell where its bytes are. */
export function toBytesColumns(row: RowOf<StoredBlob>): {
  readonly data: Uint8Array;
  readonly bytes: number;
  readonly object: string | null;
} {
  if (isInObject(row)) return { data: NO_BYTES, bytes: row.bytes, object: row.object };
  return { data: row.data, bytes: row.data.byteLength, object: null };
}

const NO_BYTES = new Uint8Array();
