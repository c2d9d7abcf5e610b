/**
 * Port: small facts that all processes of one storage share: keys, switches, what an operator accepted. Values are JSON.
 * Not for what grows with use. Every method is one atomic step; all reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class SharedState {
  /** True if another process, or this one after a restart, finds the values again. False for a storage in memory. */
  readonly outlivesProcess: boolean = true;

  /** Returns undefined for a name that has no value. */
  abstract get(name: string): Promise<unknown>;

  /** Returns the values whose names begin with `prefix`, in the order of their names. */
  abstract list(prefix: string): Promise<readonly SharedValue[]>;

  /** Stores the value unless the name has one. Returns the one that it then has: of two processes, both get the first. */
  abstract create(name: string, value: unknown): Promise<unknown>;

  abstract set(name: string, value: unknown): Promise<void>;

  /**
   * Removes the value; with `expected`, only if it is still that one, so that what another process has just set stays. Resolves
   * even if there is nothing to remove.
   *
   * @param expected as `get` or `list` returned it
   */
  abstract delete(name: string, expected?: unknown): Promise<void>;
}

export interface SharedValue {
  readonly name: string;
  readonly value: unknown;
}
