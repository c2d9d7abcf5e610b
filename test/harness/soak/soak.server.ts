import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DemoModel } from '../../../src/demo/demo.model.js';
import { createChatAgent } from '../../../src/agents/langgraph/chat.agent.js';
import { ChatModule } from '../../../src/chat/chat.module.js';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite.storage.js';
import { CalculatorTool } from '../../../src/tools/library/calculator/calculator.tool.js';

/** Far beyond what the test asks for. */
const UNLIMITED = 1_000_000;

/** The product on its embedded storage, with an agent that calls a tool and answers as fast as it can. */
export async function createSoakServer(directory: string): Promise<INestApplication> {
  const chat = ChatModule.forRoot({
    storage: new SqliteStorage({ directory }),
    auth: { kind: 'local' },
    agents: (kit) => [
      createChatAgent({
        ...kit,
        name: 'demo',
        description: 'Calculates.',
        model: new DemoModel({ paceMs: 0 }),
      }),
    ],
    throttling: { startsPerMinute: UNLIMITED, maxOpenStreams: UNLIMITED },
    tools: [CalculatorTool],
  });
  return NestFactory.create<NestExpressApplication>(chat, {
    abortOnError: false,
    logger: ['fatal', 'error'],
  });
}
