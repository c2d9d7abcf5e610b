import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRun } from '../../testing/storage/storage-samples.js';
import { SqliteStorage } from './sqlite.storage.js';

// Windows has no such modes.
const describeOnPosix = process.platform === 'win32' ? describe.skip : describe;

describeOnPosix('the files of SqliteStorage', () => {
  let parent: string;
  let directory: string;
  let storage: SqliteStorage;
  let warn: jest.SpiedFunction<Logger['warn']>;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'sqlite-permissions-'));
    directory = join(parent, 'data');
    storage = new SqliteStorage({ directory });
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await storage.close();
    await rm(parent, { recursive: true });
  });

  const readMode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  /** Of all files in the directory, by name. */
  async function modes(): Promise<Record<string, string>> {
    const names = await readdir(directory);
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readMode(join(directory, name))] as const)),
    );
  }

  const CLOSED = {
    'agent-stream.db': '600',
    'agent-stream.db-shm': '600',
    'agent-stream.db-wal': '600',
    'lock.db': '600',
    'lock.db-journal': '600',
  };

  it('creates files and directory for their user only', async () => {
    await storage.open();
    await storage.runs.create(newRun('r1'));
    expect(await readMode(directory)).toBe('700');
    expect(await modes()).toEqual(CLOSED);
    expect(warn).not.toHaveBeenCalled();
  });

  it('closes files to others when it finds them open', async () => {
    await storage.open();
    await storage.close();
    // What a process leaves behind that was killed.
    await writeFile(join(directory, 'lock.db-journal'), '');
    for (const name of await readdir(directory)) await chmod(join(directory, name), 0o644);
    storage = new SqliteStorage({ directory });
    await storage.open();
    await storage.runs.create(newRun('r1'));
    expect(await modes()).toEqual(CLOSED);
  });

  it('closes files in a directory that is open to others, and warns about the directory', async () => {
    await mkdir(directory);
    await chmod(directory, 0o755);
    await storage.open();
    await storage.runs.create(newRun('r1'));
    expect(await modes()).toEqual(CLOSED);
    // It is somebody else's decision: others may have something in it, too.
    expect(await readMode(directory)).toBe('755');
    expect(warn.mock.calls).toEqual([
      [
        `Other users of this machine can list the data directory ${directory} (mode 755). They cannot read ` +
          `the files in it. To keep them out of the directory, run: chmod 700 ${directory}`,
      ],
    ]);
  });
});
