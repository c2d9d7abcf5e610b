import { randomInt } from 'node:crypto';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { S3ObjectStore } from '../../src/storage/s3/s3-object.store.js';
import type { S3ObjectStoreOptions } from '../../src/storage/s3/s3-object-store.options.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';

/** Places that the process works with. */
export interface FilesOptions {
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
  readonly s3: S3ObjectStoreOptions;
  readonly fileIds: readonly string[];
}

// Stores and deletes files of one owner, several at once, until it is killed. It tells its parent before each step.
const { storage, s3, fileIds } = JSON.parse(process.argv[2]!) as FilesOptions;
const objects = new S3ObjectStore(s3);
const { blobs } =
  'directory' in storage
    ? await open(new SqliteStorage({ ...storage, objects }))
    : await open(new PostgresStorage({ ...storage, objects }));
const owner = { tenant: 'acme', userId: 'ada' };
const limits = { maxOwnerBytes: 1_000_000_000, maxUploads: 1_000 };

async function open<Opened extends SqliteStorage | PostgresStorage>(opened: Opened): Promise<Opened> {
  await opened.open();
  return opened;
}

async function work(): Promise<never> {
  for (;;) {
    const id = fileIds[randomInt(fileIds.length)]!;
    process.send?.('step');
    const dice = randomInt(10);
    if (dice < 6)
      await blobs.upload(
        { owner, id, mediaType: 'text/plain', data: Buffer.from(id.repeat(2_000)), keepMs: 3_600_000 },
        limits,
      );
    else if (dice < 9) await blobs.deleteUploads(owner, [id]);
    else await blobs.removeLeftovers(5);
  }
}

process.on('disconnect', () => process.exit());
await Promise.all([work(), work(), work(), work()]);
