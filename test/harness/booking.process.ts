import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { createModel } from '../../src/agents/langgraph/model.factory.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';

/** Addresses and places that the process works with. */
export interface BookingOptions {
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
  readonly provider: string;
  readonly mcp: string;
}

// A server with the tools of one MCP server, to be killed. It tells its parent its address.
const options = JSON.parse(process.argv[2]!) as BookingOptions;
const { storage, provider, mcp } = options;
const model = await createModel('openai:scripted', {
  baseUrl: provider,
  apiKey: 'none',
  timeoutMs: 30_000,
});
const app = await NestFactory.create<NestExpressApplication>(
  ChatModule.forRoot({
    auth: { kind: 'local' },
    storage: 'directory' in storage ? new SqliteStorage(storage) : new PostgresStorage(storage),
    agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Books.', model })],
    mcp: [{ name: 'hall', transport: { url: mcp } }],
  }),
  { logger: false },
);
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
process.send?.(`http://127.0.0.1:${port}/api/chat`);
process.on('disconnect', () => process.exit());
