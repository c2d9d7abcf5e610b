import type { DatabaseSync } from 'node:sqlite';
import type { StoredAssistant } from '../../../agents/assistant.store.js';
import { decidePut } from '../../put-assistant.ts';

export interface AssistantOwner {
  readonly tenant: string;
  readonly userId: string;
}

export interface AssistantName extends AssistantOwner {
  readonly id: string;
}

export interface NewAssistantRow extends AssistantName {
  readonly revision: number;
  readonly document: string;
}

const OWNED = 'tenant = :tenant AND user_id = :userId';

export function assistantOperations(db: DatabaseSync) {
  const select = db.prepare(`SELECT id, revision, document FROM assistants WHERE ${OWNED} AND id = :id`);
  const all = db.prepare(`SELECT id, revision, document FROM assistants WHERE ${OWNED} ORDER BY ordinal`);
  const count = db.prepare(`SELECT count(*) AS count FROM assistants WHERE ${OWNED}`);
  const insert = db.prepare(`
    INSERT INTO assistants (tenant, user_id, id, revision, document)
    VALUES (:tenant, :userId, :id, :revision, :document)`);
  const update = db.prepare(
    `UPDATE assistants SET revision = :revision, document = :document WHERE ${OWNED} AND id = :id`,
  );
  const remove = db.prepare(`DELETE FROM assistants WHERE ${OWNED} AND id = :id`);
  const removeAll = db.prepare(`DELETE FROM assistants WHERE ${OWNED}`);
  const get = ({ tenant, userId, id }: AssistantName) =>
    select.get({ tenant, userId, id }) as unknown as StoredAssistant | undefined;

  return {
    getAssistant: get,

    listAssistants(owner: AssistantOwner): StoredAssistant[] {
      return all.all({ ...owner }) as unknown as StoredAssistant[];
    },

    putAssistant({
      row,
      maxAssistants,
    }: {
      readonly row: NewAssistantRow;
      readonly maxAssistants: number;
    }): 'stored' | 'conflict' | 'full' {
      const { tenant, userId } = row;
      const room = count.get({ tenant, userId }) as { readonly count: number };
      const decision = decidePut(row, get(row), { ...room, maxAssistants });
      if (decision === 'conflict' || decision === 'full') return decision;
      if (decision === 'insert') insert.run({ ...row });
      if (decision === 'update') update.run({ ...row });
      return 'stored';
    },

    deleteAssistant(name: AssistantName): void {
      remove.run({ ...name });
    },

    deleteAssistants(owner: AssistantOwner): void {
      removeAll.run({ ...owner });
    },
  };
}
