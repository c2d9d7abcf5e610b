import type { ItemStore } from './item.store.js';

/** Rules for the store of graphs: what they keep beyond a thread. */
export interface StoreOptions {
  /**
   * Readers of an item: `user` (default), the user whose run has put it; `tenant`, all users of the tenant, who can also change it. No graph can reach
   * further, whatever namespace it names.
   */
  readonly scope?: 'user' | 'tenant';
  /** Time after its last use when an item is removed, in milliseconds, unless its `put` says another. Default: never. */
  readonly ttlMs?: number;
  /** True if reading an item that expires counts as a use. Default true; otherwise only a `put` does. */
  readonly refreshOnRead?: boolean;
  /** Maximum bytes of an item's value as JSON. Default 256 KiB. */
  readonly maxItemBytes?: number;
  /** Maximum items of one user, or of one tenant with the scope `tenant`. Default 10,000. A search looks at no more than these. */
  readonly maxItems?: number;
  /** Maximum bytes of all items of one user or tenant, with their vectors. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Makes items findable by meaning. Default: the `query` of a search is not looked at, as in LangGraph's own stores. */
  readonly index?: StoreIndex;
}

/** Search by meaning, under the names of LangGraph. */
export interface StoreIndex {
  /** Numbers in each vector. Other vectors are refused. */
  readonly dims: number;
  /** A LangChain `Embeddings`, or a function that returns the vector of each text. */
  readonly embed: Embedding | ((texts: string[]) => Promise<number[][]>);
  /** Paths of the texts in a value, as `title` or `chapters[*].text`. Default `["$"]`, the whole value. */
  readonly fields?: readonly string[];
}

/** The methods of LangChain's `Embeddings`. */
export interface Embedding {
  embedDocuments(texts: string[]): Promise<number[][]>;
  embedQuery(text: string): Promise<number[]>;
}

/** The store of an agent's graph: the items of the storage, and the rules for them. */
export interface AgentStore extends StoreOptions {
  readonly items: ItemStore;
}

export const DEFAULT_STORE = {
  scope: 'user',
  refreshOnRead: true,
  maxItemBytes: 256 * 1024,
  maxItems: 10_000,
  maxBytes: 32 * 1024 * 1024,
} as const satisfies StoreOptions;
