import type { Owner } from '../principal.js';
import type { Thread } from './run.js';

/** A thread to copy, and the limits of the copy. */
export interface ThreadCopy {
  readonly owner: Owner;
  readonly threadId: string;
  /** Minted for the copy: its id and its key. */
  readonly key: string;
  readonly maxRuns: number;
  /** Maximum bytes of the runs, their logs, states and files. */
  readonly maxBytes: number;
  /** Maximum bytes of all files of the owner, with those of the copy. */
  readonly maxOwnerBytes: number;
}

export type ThreadCopyResult =
  | { readonly outcome: 'copied'; readonly thread: Thread }
  /** The owner has no such thread. */
  | { readonly outcome: 'no-thread' }
  | { readonly outcome: 'too-large' }
  /** The files do not fit into what the owner may store. */
  | { readonly outcome: 'full' };

/** Limits of a copy. It is one step of the storage, which stores nothing else meanwhile where there is one writer. */
export const COPY_LIMITS = { maxRuns: 1_000, maxBytes: 64 * 1024 ** 2 } as const;

/** Ids of the copies of a thread's runs, by the ids of the runs. */
export type CopiedIds = ReadonlyMap<string, string>;

/**
 * Returns the place of a copied run among the copies: of a run that is not copied, none.
 *
 * @param parentId null or empty: none. Undefined: the run before it in time
 */
export function copyParent(parentId: string | null | undefined, ids: CopiedIds): string | null | undefined {
  return parentId ? (ids.get(parentId) ?? null) : parentId;
}
