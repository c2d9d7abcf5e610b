/**
 * Port: an object store in which the bytes of files are kept, instead of the database. The rows of the files stay in the database, and decide which
 * objects there are: see {@link ObjectBlobStore}.
 *
 * Every method rejects with STORAGE_FAILED when the store cannot be reached.
 */
export abstract class ObjectStore {
  /** Place of the objects, in words that name it and show no secret. */
  abstract readonly location: string;

  /**
   * Checks what can be checked before the first object is stored. A start waits for it: it takes some seconds at most.
   *
   * @throws AppError STORAGE_FAILED if no object can ever be stored
   */
  async open(): Promise<void> {}

  /** Stores an object. No two have the same name. */
  abstract put(name: string, data: Uint8Array): Promise<void>;

  /** Returns the object, which has so many bytes; undefined if there is none. @throws AppError STORAGE_FAILED, also for another number of bytes */
  abstract get(name: string, bytes: number): Promise<Uint8Array | undefined>;

  /** Removes an object. Does nothing if there is none. Rejects when `signal` aborts. */
  abstract delete(name: string, signal?: AbortSignal): Promise<void>;

  /** Lets go of connections. */
  async close(): Promise<void> {}
}
