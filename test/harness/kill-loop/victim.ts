import 'reflect-metadata';
import { ConsoleLogger, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createChatAgent } from '../../../src/agents/langgraph/chat.agent.js';
import { LangGraphAgent } from '../../../src/agents/langgraph/langgraph.agent.js';
import { ChatModule } from '../../../src/chat/chat.module.js';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite.storage.js';
import { SeededModel } from '../seeded.model.js';
import { SideEffectLedger } from '../side-effect-ledger.js';
import { EFFECT_TOOLS, EffectTools } from './effect-tools.js';
import { createGraphAgents } from './graphs.js';
import { createBlock, createPoison } from './guests.js';
import { toLedgerFile, type VictimOptions } from './victim.options.js';

/** Far beyond what the rig asks for: here it is the runs that are tested, not the limits. */
const UNLIMITED = 1_000_000;

/** Says only what must not happen, and tells whoever started the process of blocks. */
class VictimLogger extends ConsoleLogger {
  constructor() {
    super({ logLevels: ['fatal', 'error'] });
  }

  override warn(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('blockedMs' in message)) return;
    process.send?.({ blocked: 'runs' in message ? message.runs : [] });
  }
}

@Module({})
class VictimModule {}

/** The product on its embedded storage, with a model that says something else in each life. */
export async function createVictim({
  directory,
  seed,
  life,
  maxOwners,
}: VictimOptions): Promise<INestApplication> {
  const model = { seed, attempt: life, stallMs: 400 };
  const ledger = new SideEffectLedger(toLedgerFile(directory));
  const chat = ChatModule.forRoot({
    storage: new SqliteStorage({ directory }),
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
      ...(maxOwners === undefined
        ? []
        : [
            new LangGraphAgent({
              name: 'poison',
              description: 'Ends the process.',
              graph: createPoison(seed, life),
              tracking,
              checkpointer,
            }),
            new LangGraphAgent({
              name: 'block',
              description: 'Blocks the process.',
              graph: createBlock(),
              tracking,
              checkpointer,
            }),
          ]),
    ],
    throttling: { startsPerMinute: UNLIMITED, maxOpenStreams: UNLIMITED },
    limits: { maxOwners: maxOwners ?? UNLIMITED },
    heartbeatMs: 1_000,
    drainMs: 1_000,
    tools: [{ provide: SideEffectLedger, useValue: ledger }, EffectTools],
  });
  return NestFactory.create<NestExpressApplication>(
    { module: VictimModule, imports: [chat] },
    { abortOnError: false, logger: new VictimLogger(), return503OnClosing: true },
  );
}
