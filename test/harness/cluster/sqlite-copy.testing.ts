import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Copies the database in a directory, which may be in use. What it resolves with puts the copy in the place of what is there by
 * then; nobody may have it open.
 */
export async function copySqlite(directory: string): Promise<() => Promise<void>> {
  const backup = await mkdtemp(join(tmpdir(), 'sqlite-backup-'));
  const [data, copy] = [join(directory, 'agent-stream.db'), join(backup, 'copy.db')];
  const database = new DatabaseSync(data);
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  return async () => {
    await copyFile(copy, data);
    await rm(backup, { recursive: true });
  };
}
