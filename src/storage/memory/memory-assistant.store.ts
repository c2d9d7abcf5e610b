import { AssistantStore, type StoredAssistant } from '../../agents/assistant.store.js';
import type { Owner } from '../../principal.js';
import { decidePut } from '../put-assistant.js';
import { toNameKey } from './memory-records.js';

/** No method waits for anything, which makes each an atomic step. */
export class MemoryAssistantStore extends AssistantStore {
  private readonly owners = new Map<string, Map<string, StoredAssistant>>();

  async get(owner: Owner, id: string): Promise<StoredAssistant | undefined> {
    return this.owned(owner).get(id);
  }

  async list(owner: Owner): Promise<readonly StoredAssistant[]> {
    return [...this.owned(owner).values()];
  }

  async put(
    owner: Owner,
    { id, revision, document }: StoredAssistant,
    maxAssistants: number,
  ): Promise<'stored' | 'conflict' | 'full'> {
    const assistants = this.owned(owner);
    const next = { id, revision, document };
    const decision = decidePut(next, assistants.get(id), { count: assistants.size, maxAssistants });
    if (decision === 'conflict' || decision === 'full') return decision;
    this.owners.set(toOwnerKey(owner), assistants.set(id, next));
    return 'stored';
  }

  async delete(owner: Owner, id: string): Promise<void> {
    this.owned(owner).delete(id);
  }

  async deleteAll(owner: Owner): Promise<void> {
    this.owners.delete(toOwnerKey(owner));
  }

  private owned(owner: Owner): Map<string, StoredAssistant> {
    return this.owners.get(toOwnerKey(owner)) ?? new Map<string, StoredAssistant>();
  }
}

function toOwnerKey(owner: Owner): string {
  return toNameKey(owner, '');
}
