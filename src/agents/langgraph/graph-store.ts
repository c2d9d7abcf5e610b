import {
  BaseStore,
  validateNamespace,
  type GetOperation,
  type Item,
  type ListNamespacesOperation,
  type Operation,
  type OperationResults,
  type PutOperation,
  type SearchItem,
  type SearchOperation,
} from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import type { Owner } from '../../principal.js';
import { DEFAULT_STORE, type AgentStore } from '../agent-store.js';
import type { FoundItem, ItemChange, ItemName, ItemScope, StoredItem } from '../item.store.js';
import { toItemJson } from './item-json.js';
import { ItemVectors } from './item-vectors.js';
import { selectNamespaces } from './namespace-list.js';

/** A `put` that may say how long its item lives. */
interface Put extends PutOperation {
  /** Minutes after its last use; null: for ever. Absent: as the options say. */
  readonly ttl?: number | null;
}

const MS_PER_MINUTE = 60_000;

const OPERATORS = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin']);

/**
 * The store of one run, as LangGraph hands it to nodes and tools. It sees the items of its owner only: the owner is no part of the
 * namespace, so no namespace leads out of it.
 */
export class GraphStore extends BaseStore {
  private readonly scope: ItemScope;
  private readonly vectors: ItemVectors | undefined;

  constructor(
    private readonly store: AgentStore,
    { tenant, userId }: Owner,
  ) {
    super();
    this.scope = (store.scope ?? DEFAULT_STORE.scope) === 'user' ? { tenant, userId } : { tenant };
    this.vectors = store.index && new ItemVectors(store.index);
  }

  /** @param options `ttl`: minutes after its last use when the item is removed; null: never */
  override async put(
    namespace: string[],
    key: string,
    value: Record<string, unknown>,
    index?: false | string[],
    options?: { readonly ttl?: number | null },
  ): Promise<void> {
    await this.batch([{ namespace, key, value, ...(index !== undefined && { index }), ...options }]);
  }

  /**
   * Makes reads before changes, as LangGraph's own stores do, and all changes or none.
   *
   * @throws AppError RUN_LIMIT for what is too large, and STORAGE_FAILED
   */
  override async batch<Operations extends Operation[]>(
    operations: Operations,
  ): Promise<OperationResults<Operations>> {
    // Storages tell the items that all users of a tenant share by having no user.
    if (this.scope.userId === '') throw new TypeError('The store needs a principal with a `userId`.');
    const used = new Map<string, ItemName>();
    const changes = new Map<string, Put>();
    const results = await Promise.all(
      operations.map(async (operation) => {
        if (isPut(operation)) {
          checkName(operation);
          if (operation.value !== null) validateNamespace(operation.namespace);
          changes.set(toMapKey(operation), operation);
          return undefined;
        }
        if (isSearch(operation)) return this.find(operation, used);
        return isGet(operation) ? this.read(operation, used) : this.list(operation);
      }),
    );
    const { refreshOnRead = DEFAULT_STORE.refreshOnRead } = this.store;
    if (refreshOnRead && used.size > 0) await this.store.items.touch(this.scope, [...used.values()]);
    if (changes.size > 0) await this.change([...changes.values()]);
    return results as OperationResults<Operations>;
  }

  private async read(operation: GetOperation, used: Map<string, ItemName>): Promise<Item | null> {
    checkName(operation);
    const [item] = await this.store.items.get(this.scope, [operation]);
    if (!item) return null;
    noteUse(item, used);
    return toItem(item);
  }

  private async find(
    { namespacePrefix: prefix, filter, limit = 10, offset = 0, query }: SearchOperation,
    used: Map<string, ItemName>,
  ): Promise<SearchItem[]> {
    validateNamespace(prefix, { allowEmpty: true, allowReservedRoot: true });
    checkPage({ limit, offset });
    checkFilter(filter);
    const vector = query ? await this.vectors?.ofQuery(query) : undefined;
    const found = await this.store.items.search(this.scope, { prefix, filter, vector, limit, offset });
    for (const item of found) noteUse(item, used);
    return found.map(({ score, ...item }: FoundItem) => ({
      ...toItem(item),
      ...(score !== undefined && { score }),
    }));
  }

  private async list(operation: ListNamespacesOperation): Promise<string[][]> {
    return selectNamespaces(await this.store.items.listNamespaces(this.scope), operation);
  }

  private async change(puts: readonly Put[]): Promise<void> {
    const { maxItems = DEFAULT_STORE.maxItems, maxBytes = DEFAULT_STORE.maxBytes, items } = this.store;
    // Before anything is embedded, which may cost money.
    const values = puts.map(({ key, value }) => (value === null ? null : this.toJson(key, value)));
    const vectors = await this.vectors?.ofItems(
      puts.map(({ value, index }) => ({ value, fields: value === null ? false : index })),
    );
    const changes = puts.map(({ namespace, key, ttl }, at): ItemChange => {
      const value = values[at] ?? null;
      if (value === null) return { namespace, key, value };
      return { namespace, key, value, vectors: vectors?.[at] ?? [], ttlMs: this.toTtlMs(ttl) };
    });
    if ((await items.change(this.scope, changes, { maxItems, maxBytes })) === 'changed') return;
    throw new AppError('RUN_LIMIT', 'The memory for this caller is full. Remove items, or store less.');
  }

  private toJson(key: string, value: unknown): string {
    const json = toItemJson(value);
    const { maxItemBytes = DEFAULT_STORE.maxItemBytes } = this.store;
    if (Buffer.byteLength(json) <= maxItemBytes) return json;
    throw new AppError(
      'RUN_LIMIT',
      `The item '${key.slice(0, 100)}' is larger than the ${maxItemBytes.toLocaleString('en')} bytes that an item may have.`,
    );
  }

  private toTtlMs(ttl: Put['ttl']): number | undefined {
    if (ttl === undefined) return this.store.ttlMs;
    if (ttl === null) return undefined;
    if (!(ttl > 0)) throw new TypeError('`ttl` of an item must be a number of minutes above 0.');
    return Math.ceil(ttl * MS_PER_MINUTE);
  }
}

function isPut(operation: Operation): operation is Put {
  return 'value' in operation;
}

function isSearch(operation: Operation): operation is SearchOperation {
  return 'namespacePrefix' in operation;
}

function isGet(operation: Operation): operation is GetOperation {
  return 'key' in operation;
}

/** @throws TypeError, or InvalidNamespaceError as LangGraph's own stores */
function checkName({ namespace, key }: GetOperation): void {
  validateNamespace(namespace, { allowReservedRoot: true });
  if (typeof key !== 'string') throw new TypeError('The key of an item must be a string.');
}

function checkPage(page: { readonly limit: number; readonly offset: number }): void {
  for (const [name, value] of Object.entries(page)) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new TypeError(`\`${name}\` of a search must be a whole number of at least 0.`);
  }
}

/** A filter that means something else here than in its author's mind would find the wrong items. */
function checkFilter(filter: SearchOperation['filter']): void {
  for (const [field, wanted] of Object.entries(filter ?? {})) {
    if (typeof wanted !== 'object' || wanted === null) continue;
    const unknown = Array.isArray(wanted) ? '[]' : Object.keys(wanted).find((name) => !OPERATORS.has(name));
    if (unknown === undefined) continue;
    throw new TypeError(
      `The filter of '${field}' cannot be ${unknown}: write a plain value, or one of ${[...OPERATORS].join(', ')}.`,
    );
  }
}

function noteUse(item: StoredItem, used: Map<string, ItemName>): void {
  if (item.expires) used.set(toMapKey(item), item);
}

function toMapKey({ namespace, key }: ItemName): string {
  return JSON.stringify([namespace, key]);
}

function toItem({ namespace, key, value, createdAt, updatedAt }: StoredItem): Item {
  return {
    value: JSON.parse(value) as Item['value'],
    key,
    namespace: [...namespace],
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
