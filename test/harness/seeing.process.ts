import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { createModel } from '../../src/agents/langgraph/model.factory.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { S3ObjectStore } from '../../src/storage/s3/s3-object.store.js';
import type { S3ObjectStoreOptions } from '../../src/storage/s3/s3-object-store.options.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';

/** Addresses and places that the process works with. */
export interface SeeingOptions {
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
  readonly s3: S3ObjectStoreOptions;
  readonly provider: string;
}

// A server whose agent takes files, to be killed. Their bytes are in a bucket. It tells its parent its address.
const { storage, s3, provider } = JSON.parse(process.argv[2]!) as SeeingOptions;
const objects = new S3ObjectStore(s3);
const model = await createModel('openai:scripted', { baseUrl: provider, apiKey: 'none', timeoutMs: 60_000 });
const app = await NestFactory.create<NestExpressApplication>(
  ChatModule.forRoot({
    auth: { kind: 'local' },
    storage:
      'directory' in storage
        ? new SqliteStorage({ ...storage, objects })
        : new PostgresStorage({ ...storage, objects }),
    agents: (kit) => [
      createChatAgent({
        ...kit,
        name: 'seeing',
        description: 'Looks.',
        model,
        accepts: ['image/*', 'text/*'],
      }),
    ],
  }),
  { logger: false },
);
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
process.send?.(`http://127.0.0.1:${port}/api/chat`);
process.on('disconnect', () => process.exit());
