import type { Owner } from '../principal.js';

/** The owner of items: one user, or without a `userId` the tenant, whose items all its users share. */
export type ItemScope = Pick<Owner, 'tenant'> & Partial<Pick<Owner, 'userId'>>;

export interface ItemName {
  /** Labels without a period, at least one. */
  readonly namespace: readonly string[];
  readonly key: string;
}

/** A fact that agents keep beyond a thread. */
export interface StoredItem extends ItemName {
  /** JSON. */
  readonly value: string;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** True if the item is removed some time after its last use. */
  readonly expires: boolean;
}

/** A change of one item. `value: null` removes it. */
export type ItemChange = ItemName &
  (
    | { readonly value: null }
    | {
        /** JSON. */
        readonly value: string;
        /** Embeddings of its texts, all of one length. Empty: a search by meaning finds it last. */
        readonly vectors: readonly Float32Array[];
        /** Time after its last use when it is removed, in milliseconds. Absent: never. */
        readonly ttlMs?: number | undefined;
      }
  );

export interface ItemQuery {
  /** First labels of the namespaces to search. Empty: all. */
  readonly prefix: readonly string[];
  /** Values that top-level fields must have, or `{ $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin }`. */
  readonly filter?: Readonly<Record<string, unknown>> | undefined;
  /** The embedding to compare with: the nearest items come first. Absent: the oldest come first. */
  readonly vector?: Float32Array | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface FoundItem extends StoredItem {
  /** Cosine of the angle between the query's vector and the nearest of the item's. Absent if the item has none of that length. */
  readonly score?: number;
}

/** Maximum of what one scope may hold. */
export interface ItemLimits {
  readonly maxItems: number;
  /** Bytes of names, values and vectors. */
  readonly maxBytes: number;
}

/**
 * Port: items that outlive threads, the long-term memory of agents. No scope sees the items of another: a user has others than the tenant, and
 * no namespace leads from one to the other. An expired item counts as removed, whether or not its row is still there.
 *
 * Every method is one atomic step; all reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class ItemStore {
  /** Returns the items of these names, in their order; undefined where there is none. */
  abstract get(scope: ItemScope, names: readonly ItemName[]): Promise<readonly (StoredItem | undefined)[]>;

  /**
   * Makes all of these changes, each of another name. `full`, and none is made, if the scope would then hold more than `limits` and more than before.
   * An item that is replaced keeps its `createdAt`, and its place among the others.
   */
  abstract change(
    scope: ItemScope,
    changes: readonly ItemChange[],
    limits: ItemLimits,
  ): Promise<'changed' | 'full'>;

  /** Returns the items below a prefix, in the order of their creation or, with a `vector`, of their score. */
  abstract search(scope: ItemScope, query: ItemQuery): Promise<readonly FoundItem[]>;

  /** Returns each namespace that has an item, in the order of code points. */
  abstract listNamespaces(scope: ItemScope): Promise<readonly (readonly string[])[]>;

  /** Notes a use: those of these items that expire live as long from now on as they had from the start. */
  abstract touch(scope: ItemScope, names: readonly ItemName[]): Promise<void>;

  /** Removes all items of a user, or without a `userId` those of the tenant and of all its users. */
  abstract deleteAll(of: ItemScope): Promise<void>;

  /** Removes at most `limit` expired items. Returns how many it has removed. */
  abstract deleteExpired(limit: number): Promise<number>;
}
