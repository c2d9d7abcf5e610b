// A store for the bytes of files, beside any storage.
import { loadWith } from './optional-packages.js';

type StoreModule = typeof import('./storage/s3/s3-object.store.js');

export const { S3ObjectStore } = loadWith(
  ['@aws-sdk/client-s3'],
  './storage/s3/s3-object.store.js',
) as StoreModule;
export type S3ObjectStore = InstanceType<typeof S3ObjectStore>;
export type { S3ObjectStoreOptions } from './storage/s3/s3-object-store.options.js';
