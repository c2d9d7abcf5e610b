import type { AddressInfo } from 'node:net';
import type { BaseMessage } from '@langchain/core/messages';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';

/** First argument of a process with a graph, as JSON. */
export interface GraphProcessOptions {
  /** Place of the data. */
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
}

/** Serves a graph in this process, to be killed. Tells the parent its port. */
export async function serveGraph(
  name: string,
  graph: unknown,
  options: Partial<Parameters<typeof ChatModule.forRoot>[0]> = {},
): Promise<void> {
  const { storage } = JSON.parse(process.argv[2]!) as GraphProcessOptions;
  const app = await NestFactory.create<NestExpressApplication>(
    ChatModule.forRoot({
      auth: { kind: 'local' },
      storage: 'directory' in storage ? new SqliteStorage(storage) : new PostgresStorage(storage),
      agents: (kit) => [new LangGraphAgent({ ...kit, name, description: 'Listens.', graph: graph as never })],
      ...options,
    }),
    { logger: false },
  );
  await app.listen(0, '127.0.0.1');
  process.send?.((app.getHttpServer().address() as AddressInfo).port);
  process.on('disconnect', () => process.exit());
}

/** Returns the words of people in a conversation. */
export function listHeard(messages: readonly BaseMessage[]): string[] {
  return messages.filter((message) => message.getType() === 'human').map(({ text }) => text);
}
