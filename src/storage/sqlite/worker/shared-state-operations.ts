import type { DatabaseSync } from 'node:sqlite';

export interface SharedValueRow {
  readonly name: string;
  /** JSON. */
  readonly value: string;
}

export function sharedStateOperations(db: DatabaseSync) {
  const byName = db.prepare('SELECT value FROM shared_state WHERE name = ?');
  // A comparison of bytes, in which the prefix has no wildcards.
  const byPrefix = db.prepare(`
    SELECT name, value FROM shared_state WHERE name >= :prefix AND substr(name, 1, length(:prefix)) = :prefix ORDER BY name`);
  const insert = db.prepare(
    'INSERT INTO shared_state (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING',
  );
  const replace = db.prepare('INSERT OR REPLACE INTO shared_state (name, value) VALUES (:name, :value)');
  const remove = db.prepare(
    'DELETE FROM shared_state WHERE name = :name AND (:value IS NULL OR value = :value)',
  );
  const read = (name: string) => (byName.get(name) as SharedValueRow | undefined)?.value;

  return {
    getShared(name: string): string | undefined {
      return read(name);
    },

    listShared(prefix: string): SharedValueRow[] {
      return byPrefix.all({ prefix }) as unknown as SharedValueRow[];
    },

    createShared(row: SharedValueRow): string {
      insert.run({ ...row });
      return read(row.name) ?? row.value;
    },

    setShared(row: SharedValueRow): void {
      replace.run({ ...row });
    },

    /** @param row its value, if it has one, must still be the stored one */
    deleteShared(row: Pick<SharedValueRow, 'name'> & { readonly value: string | null }): void {
      remove.run({ ...row });
    },
  };
}
