import 'reflect-metadata';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createChatAgent } from '../../agents/langgraph/chat.agent.js';
import { ChatModule } from '../../chat/chat.module.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import { SeededModel } from '../seeded.model.js';
import { SideEffectLedger } from '../side-effect.ledger.js';
import { EFFECT_TOOLS, EffectTools } from './effect.tools.js';
import { ledgerFileOf, type VictimOptions } from './victim.options.js';

/** Far beyond what the rig asks for: here it is the runs that are tested, not the limits. */
const UNLIMITED = 1_000_000;

@Module({})
class VictimModule {}

/** The product on its embedded storage, with a model that says something else in each life. */
export async function createVictim({ directory, seed, life }: VictimOptions): Promise<INestApplication> {
  const ledger = new SideEffectLedger(ledgerFileOf(directory));
  const chat = ChatModule.forRoot({
    storage: new SqliteStorage({ directory }),
    auth: { kind: 'local' },
    agents: ({ tools, tracking, checkpointer }) => [
      createChatAgent({
        name: 'seeded',
        description: 'Says something else each time.',
        model: new SeededModel({ seed, attempt: life, tools: EFFECT_TOOLS, stallMs: 400 }),
        tools,
        tracking,
        checkpointer,
      }),
    ],
    throttling: { startsPerMinute: UNLIMITED, openStreams: UNLIMITED },
    heartbeatMs: 1_000,
    drainMs: 1_000,
    tools: [{ provide: SideEffectLedger, useValue: ledger }, EffectTools],
  });
  return NestFactory.create<NestExpressApplication>(
    { module: VictimModule, imports: [chat] },
    { abortOnError: false, logger: ['fatal', 'error'], return503OnClosing: true },
  );
}
