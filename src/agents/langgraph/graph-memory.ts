import { InvalidNamespaceError } from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import type { Owner } from '../../principal.js';
import {
  AgentMemory,
  type MemoryItem,
  type MemoryPut,
  type MemorySearch,
  type NamespaceSearch,
} from '../agent-memory.js';
import type { AgentStore } from '../agent-store.js';
import type { ItemName } from '../item.store.js';
import { GraphStore } from './graph-store.js';

/** The items of callers, through the store that their graphs have. */
export class GraphMemory extends AgentMemory {
  constructor(private readonly store: AgentStore) {
    super();
  }

  async get(owner: Owner, { namespace, key }: ItemName): Promise<MemoryItem | undefined> {
    return (await this.use(owner, (store) => store.get([...namespace], key))) ?? undefined;
  }

  put(owner: Owner, { namespace, key, value, index, ttl }: MemoryPut): Promise<void> {
    const options = ttl === undefined ? undefined : { ttl };
    return this.use(owner, (store) => store.put([...namespace], key, { ...value }, index, options));
  }

  delete(owner: Owner, { namespace, key }: ItemName): Promise<void> {
    return this.use(owner, (store) => store.delete([...namespace], key));
  }

  search(owner: Owner, { prefix, filter, query, limit, offset }: MemorySearch): Promise<MemoryItem[]> {
    const options = { limit, offset, ...(filter && { filter }), ...(query !== undefined && { query }) };
    return this.use(owner, (store) => store.search([...prefix], options));
  }

  listNamespaces(
    owner: Owner,
    { prefix, suffix, maxDepth, limit, offset }: NamespaceSearch,
  ): Promise<string[][]> {
    const options = {
      limit,
      offset,
      ...(prefix && { prefix: [...prefix] }),
      ...(suffix && { suffix: [...suffix] }),
      ...(maxDepth !== undefined && { maxDepth }),
    };
    return this.use(owner, (store) => store.listNamespaces(options));
  }

  private async use<T>(owner: Owner, call: (store: GraphStore) => Promise<T>): Promise<T> {
    try {
      return await call(new GraphStore(this.store, owner));
    } catch (error) {
      if (error instanceof TypeError || error instanceof InvalidNamespaceError)
        throw new AppError('REQUEST_INVALID', error.message, { cause: error });
      throw error;
    }
  }
}
