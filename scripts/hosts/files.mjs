import { readFileSync } from 'node:fs';

// The files of a host as its team would have them. What puts the agent into it is between `chat: begin` and `chat: end`.

export const APP_MODULE = `import { Injectable, Module } from '@nestjs/common';
import { AgentTool, ChatModule } from 'nestjs-agent-stream';
import { createChatAgent, createModel } from 'nestjs-agent-stream/langgraph';
import { MemoryStorage, SqliteStorage } from 'nestjs-agent-stream/storage';
import { z } from 'zod';

const { NODE_ENV, DATA_DIR = 'data', OPENAI_BASE_URL = '', OPENAI_API_KEY = '' } = process.env;

@Injectable()
export class Prices {
  priceFor(item: string): number {
    return item.length * 10;
  }
}

@Injectable()
export class PriceTool {
  constructor(private readonly prices: Prices) {}

  @AgentTool({ name: 'price', label: 'Looking it up…', description: 'The price of an item.', input: z.object({ item: z.string() }), expose: { output: true } })
  price({ item }: { item: string }): { price: number } {
    return { price: this.prices.priceFor(item) };
  }
}

@Module({
  imports: [
    // chat: begin
    ChatModule.forRoot({
      path: 'assistant',
      storage: NODE_ENV === 'test' ? new MemoryStorage() : new SqliteStorage({ directory: DATA_DIR }),
      auth: { kind: 'local' },
      agents: async (kit) => {
        const model = await createModel('openai:gpt-4.1-mini', { baseUrl: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY, timeoutMs: 60_000 });
        return [createChatAgent({ ...kit, name: 'prices', description: 'Knows prices.', model })];
      },
    }),
    // chat: end
  ],
  providers: [Prices, PriceTool],
})
export class AppModule {}
`;

/** The same host on PostgreSQL, as a team with several replicas has it: its callers are known, and nothing else is set. */
export const REPLICA_MODULE = APP_MODULE.replace(
  /storage: .*/,
  `storage: new PostgresStorage({ url: process.env['DATABASE_URL'] ?? '' }),`,
)
  .replace(
    /auth: .*/,
    `auth: {
        kind: 'host',
        getPrincipal: ({ headers }) =>
          headers['x-user'] ? { userId: String(headers['x-user']), tenant: 'acme', roles: [] } : undefined,
      },`,
  )
  .replace(
    `import { MemoryStorage, SqliteStorage } from 'nestjs-agent-stream/storage';`,
    `import { PostgresStorage } from 'nestjs-agent-stream/postgres';`,
  )
  .replace(`const { NODE_ENV, DATA_DIR = 'data', `, 'const { ');

const ADAPTERS = {
  express: `import { ExpressAdapter as Adapter } from '@nestjs/platform-express';`,
  fastify: `import { FastifyAdapter as Adapter } from '@nestjs/platform-fastify';`,
};

export const mainFile = (framework, extension) => `import { NestFactory } from '@nestjs/core';
${ADAPTERS[framework]}
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppModule } from './app.module${extension}';

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule, new Adapter());
  app.enableShutdownHooks();
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle('Prices').build());
  SwaggerModule.setup('docs', app, document, { ui: false, jsonDocumentUrl: 'docs/openapi.json' });
  await app.listen(0, '127.0.0.1');
  console.log(\`listening at \${await app.getUrl()}\`);
}
void bootstrap();
`;

export const specFile = (framework, extension) => `import { Test } from '@nestjs/testing';
${ADAPTERS[framework]}
import { AppModule } from './app.module${extension}';

describe('the prices', () => {
  it('are told by the assistant, which asks the tool', async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const app = module.createNestApplication(new Adapter());
    await app.listen(0, '127.0.0.1');
    const answer = await fetch(\`\${await app.getUrl()}/assistant\`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"message":"What is the price of a lamp?"}',
    });
    expect(await answer.text()).toContain('"output":{"price":40}');
    await app.close();
  }, 60_000);
});
`;

export const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    isolatedModules: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
  exclude: ['src/**/*.spec.ts'],
};

/** Configurations of test runners, as the guide shows them. */
const GUIDE = readFileSync(new URL('../../docs/guides/testing.md', import.meta.url), 'utf8');
const [VITEST_BLOCK] = findBlocks('js');
const [, TS_JEST_BLOCK, SWC_JEST_BLOCK] = findBlocks('json');

export const VITEST = VITEST_BLOCK;
export const TS_JEST = JSON.parse(TS_JEST_BLOCK);
export const SWC_JEST = JSON.parse(SWC_JEST_BLOCK);

function findBlocks(language) {
  const pattern = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g');
  return [...GUIDE.matchAll(pattern)].map(([, block]) => block);
}
