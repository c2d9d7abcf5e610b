import type { Owner } from '../principal.js';

/** An assistant as it is stored: one document, and the number of its state. */
export interface StoredAssistant {
  readonly id: string;
  /** Counts its changes, from 1. */
  readonly revision: number;
  /** JSON. */
  readonly document: string;
}

/**
 * Port: configurations of agents that users have made. No owner sees those of another, and two may use the same id. A storage knows nothing of their
 * versions: it compares revisions, and {@link StoredAssistant.document} is read elsewhere.
 *
 * Every method is one atomic step; all reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class AssistantStore {
  abstract get(owner: Owner, id: string): Promise<StoredAssistant | undefined>;

  /** Returns all assistants of the owner, in the order of their creation. */
  abstract list(owner: Owner): Promise<readonly StoredAssistant[]>;

  /**
   * Stores the state that follows another: revision 1 is a new assistant. `conflict` if the owner's assistant is not in the state before;
   * `full` if a new one would be more than `maxAssistants`. Repeating it with the same document changes nothing.
   */
  abstract put(
    owner: Owner,
    assistant: StoredAssistant,
    maxAssistants: number,
  ): Promise<'stored' | 'conflict' | 'full'>;

  /** Removes an assistant. Resolves even if there is none. */
  abstract delete(owner: Owner, id: string): Promise<void>;

  /** Removes all assistants of the owner. */
  abstract deleteAll(owner: Owner): Promise<void>;
}
