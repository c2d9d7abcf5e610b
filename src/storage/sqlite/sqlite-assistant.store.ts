import { AssistantStore, type StoredAssistant } from '../../agents/assistant.store.js';
import type { Owner } from '../../principal.js';
import type { SqliteClient } from './sqlite.client.js';

export class SqliteAssistantStore extends AssistantStore {
  constructor(private readonly client: SqliteClient) {
    super();
  }

  get({ tenant, userId }: Owner, id: string): Promise<StoredAssistant | undefined> {
    return this.client.call('getAssistant', { tenant, userId, id });
  }

  list({ tenant, userId }: Owner): Promise<readonly StoredAssistant[]> {
    return this.client.call('listAssistants', { tenant, userId });
  }

  put(
    { tenant, userId }: Owner,
    { id, revision, document }: StoredAssistant,
    maxAssistants: number,
  ): Promise<'stored' | 'conflict' | 'full'> {
    const row = { tenant, userId, id, revision, document };
    return this.client.call('putAssistant', { row, maxAssistants });
  }

  async delete({ tenant, userId }: Owner, id: string): Promise<void> {
    await this.client.call('deleteAssistant', { tenant, userId, id });
  }

  async deleteAll({ tenant, userId }: Owner): Promise<void> {
    await this.client.call('deleteAssistants', { tenant, userId });
  }
}
