import type { Storage } from '../../storage/storage.js';

/**
 * The functions of a test runner that the contract needs. Given rather than imported, so that one published file serves jest,
 * vitest, bun and whatever gives `describe`, `it` and `expect` their usual meaning, and so that it pulls in none of them.
 */
export interface TestFramework {
  readonly describe: (title: string, body: () => void) => void;
  readonly it: (title: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => Matchers & { readonly rejects: RejectionMatchers };
}

interface Matchers {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
  toHaveLength(expected: number): void;
  toBeUndefined(): void;
}

interface RejectionMatchers {
  toThrow(): Promise<void>;
}

/** One storage under test, and what only its maker can do to it. */
export interface StorageHarness {
  /** Open, and empty. */
  readonly storage: Storage;
  /** Makes the storage's clock go on by so many milliseconds: leases run out without anybody waiting for it. */
  readonly advance: (ms: number) => void | Promise<void>;
  /** Closes the storage and opens the same data again, as after a restart. Needed for the feature `durable`. */
  readonly reopen?: () => Promise<Storage>;
  /**
   * Copies the data as they are. What it resolves with puts the copy in the place of what is there by then and opens that, as
   * after a loss. Needed for the feature `restorable`.
   */
  readonly backup?: () => Promise<() => Promise<Storage>>;
  /**
   * Names the tables, or whatever the storage keeps its data in, that have this text in a row. With it the contract looks in all of them
   * for what a deletion has left behind; without it, only through the ports.
   */
  readonly whereIs?: (text: string) => Promise<readonly string[]>;
  /** Closes what is open and removes what it has left behind. */
  readonly dispose: () => Promise<void>;
}

export type StorageFactory = () => Promise<StorageHarness>;

export interface StorageFeatures {
  /** True if acknowledged writes outlive the storage object. Default true; then the harness has to have `reopen`. */
  readonly durable?: boolean;
  /** The only process that can use the data is this one, so that at `open` every owned run is an orphan. Default false. */
  readonly exclusive?: boolean;
  /** An older copy of the data can be put in their place. Default false; when true the harness has to have `backup`. */
  readonly restorable?: boolean;
}

/** Registers a file of tests, each with a fresh storage that is disposed of afterwards. */
export interface ContractSuite {
  readonly describe: TestFramework['describe'];
  readonly expect: TestFramework['expect'];
  readonly test: (title: string, body: (harness: StorageHarness) => Promise<void>) => void;
}
