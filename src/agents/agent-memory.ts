import type { Owner } from '../principal.js';
import type { ItemName } from './item.store.js';

/** A fact that graphs keep beyond a thread, with its value read. */
export interface MemoryItem extends ItemName {
  readonly value: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Nearness to what was searched for. Absent unless the search was one by meaning. */
  readonly score?: number | undefined;
}

/** A change of an item, as a graph would make it. */
export interface MemoryPut extends ItemName {
  readonly value: Readonly<Record<string, unknown>>;
  /** Minutes after its last use when it is removed; null: never. Absent: as the module's `store` says. */
  readonly ttl?: number | null | undefined;
  /** Paths of the texts to find it by; false: none. Absent: as the module's `store` says. */
  readonly index?: false | string[] | undefined;
}

export interface MemorySearch {
  /** First labels of the namespaces. Empty: all. */
  readonly prefix: readonly string[];
  readonly filter?: Readonly<Record<string, unknown>> | undefined;
  /** Looked at only where items can be found by meaning. */
  readonly query?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface NamespaceSearch {
  /** Labels at the beginning, of which `*` is any. */
  readonly prefix?: readonly string[] | undefined;
  readonly suffix?: readonly string[] | undefined;
  readonly maxDepth?: number | undefined;
  readonly limit: number;
  readonly offset: number;
}

/**
 * Port: what the graphs remember beyond threads, as the graph of a run of this owner sees it: by the rules of the module's `store`, with its limits.
 *
 * Every method rejects with STORAGE_FAILED if the storage cannot be reached, and with REQUEST_INVALID for names and filters that no store takes.
 */
export abstract class AgentMemory {
  abstract get(owner: Owner, name: ItemName): Promise<MemoryItem | undefined>;
  /** @throws AppError RUN_LIMIT if the item or all of the owner's items would be too large */
  abstract put(owner: Owner, item: MemoryPut): Promise<void>;
  abstract delete(owner: Owner, name: ItemName): Promise<void>;
  abstract search(owner: Owner, search: MemorySearch): Promise<readonly MemoryItem[]>;
  abstract listNamespaces(owner: Owner, search: NamespaceSearch): Promise<readonly (readonly string[])[]>;
}
