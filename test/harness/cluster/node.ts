import 'reflect-metadata';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createChatAgent } from '../../../src/agents/langgraph/chat.agent.js';
import { ChatModule } from '../../../src/chat/chat.module.js';
import { PostgresStorage } from '../../../src/storage/postgres/postgres.storage.js';
import { RedisHints } from '../../../src/storage/redis/redis-hints.js';
import type { HintCarrier } from '../../../src/storage/shared-wakeups.js';
import { EFFECT_TOOLS, EffectTools } from '../kill-loop/effect-tools.js';
import { createGraphAgents } from '../kill-loop/graphs.js';
import { toLedgerFile } from '../kill-loop/victim.options.js';
import { SeededModel } from '../seeded.model.js';
import { SideEffectLedger } from '../side-effect-ledger.js';
import type { NodeOptions } from './node.options.js';

const UNLIMITED = 1_000_000;

/** Attempts of the same words by different processes have to differ, so no two processes may count their lives alike. */
const MOST_NODES = 100;

@Module({})
class NodeModule {}

/** The product on the storage that all processes share, with a model that says something else in each life of each process. */
export function createNode(options: NodeOptions): Promise<INestApplication> {
  const {
    seed,
    life,
    index,
    roles,
    paceMs,
    startsPerMinute = UNLIMITED,
    maxOpenStreams = UNLIMITED,
  } = options;
  const model = {
    seed,
    attempt: life * MOST_NODES + index,
    stallMs: 400,
    ...(paceMs !== undefined && { paceMs }),
  };
  const ledger = new SideEffectLedger(toLedgerFile(options.directory));
  const storage = createStorage(options);
  const chat = ChatModule.forRoot({
    storage,
    auth: { kind: 'local' },
    agents: ({ tools, tracking, checkpointer, store }) => [
      createChatAgent({
        name: 'seeded',
        description: 'Says something else each time.',
        model: new SeededModel({ ...model, tools: EFFECT_TOOLS }),
        tools,
        tracking,
        checkpointer,
      }),
      ...createGraphAgents({ model, ledger }, { tracking, checkpointer, store }),
    ],
    throttling: { startsPerMinute, maxOpenStreams },
    worker: roles.includes('worker'),
    ...(roles.includes('api') ? {} : { path: false }),
    limits: { maxOwners: UNLIMITED },
    heartbeatMs: 1_000,
    drainMs: 1_000,
    tools: [{ provide: SideEffectLedger, useValue: ledger }, EffectTools],
  });
  return NestFactory.create<NestExpressApplication>(
    { module: NodeModule, imports: [chat] },
    { abortOnError: false, logger: ['fatal'], return503OnClosing: true },
  );
}

function createStorage({ databaseUrl: url, redisUrl, deaf }: NodeOptions): PostgresStorage {
  if (deaf) return new PostgresStorage({ url, hints: deafCarrier() });
  return new PostgresStorage({ url, ...(redisUrl && { hints: new RedisHints(redisUrl) }) });
}

function deafCarrier(): HintCarrier {
  const nothing = async () => undefined;
  return { open: nothing, send: nothing, close: nothing };
}
