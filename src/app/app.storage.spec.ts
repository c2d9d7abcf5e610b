import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUCKET, S3Server } from '../../test/harness/s3.server.js';
import { storageFor } from './app.storage.js';
import { loadConfig } from './config.js';

const VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

let s3: S3Server;
let directory: string;

beforeAll(async () => {
  s3 = await S3Server.start();
  directory = await mkdtemp(join(tmpdir(), 'app-storage-'));
});
afterEach(() => {
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});
afterAll(async () => {
  await s3?.stop();
  await rm(directory, { recursive: true });
});

describe('storageFor', () => {
  it('keeps the bytes of files in the bucket that the settings name, with the credentials that the SDK finds', async () => {
    const { accessKeyId, secretAccessKey } = s3.options.credentials!;
    process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
    const storage = await storageFor(
      loadConfig({
        DATA_DIR: directory,
        FILES_S3_BUCKET: BUCKET,
        FILES_S3_ENDPOINT: s3.url,
        FILES_S3_PREFIX: 'of-the-app/',
      }),
    );
    await storage.open();
    const file = { id: 'a', mediaType: 'text/plain', data: Buffer.from('text'), keepMs: 1_000 };
    const owner = { tenant: 'acme', userId: 'ada' };
    const limits = { maxOwnerBytes: 100, maxUploads: 1 };
    expect(await storage.blobs.upload({ ...file, owner }, limits)).toBe('stored');
    expect(await s3.names()).toEqual([expect.stringMatching(/^of-the-app\/[a-z0-9]{20}$/)]);
    await storage.close();
  });

  it('uses the database without a bucket', async () => {
    const storage = await storageFor(loadConfig({ DATA_DIR: join(directory, 'other') }));
    await storage.open();
    expect(await storage.blobs.removeLeftovers(1)).toBe(0);
    await storage.close();
  });
});
