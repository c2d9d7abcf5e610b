import { describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { AgentTool, AppError, ChatModule, type ChatModuleOptions } from '../../src/index.js';
import { MemoryStorage, SqliteStorage } from '../../src/storage/index.js';
import { PostgresStorage } from '../../src/postgres.js';
import { ScriptedAgent } from '../../src/testing/index.js';

const USABLE: ChatModuleOptions = {
  storage: new MemoryStorage(),
  agents: () => [new ScriptedAgent(() => {})],
  auth: { kind: 'host', getPrincipal: () => undefined },
};

const described = { label: 'Refunding…', description: 'Refunds.' };

@Injectable()
class Refunds {
  @AgentTool({ ...described, name: 'refund', input: z.object({}), roles: ['finanse'] })
  refund() {}
}

@Injectable()
class Rebates {
  @AgentTool({ ...described, name: 'refund', input: z.object({}) })
  rebate() {}
}

@Injectable()
class Guesses {
  @AgentTool({ ...described, name: 'guess', input: z.string() as never })
  guess() {}
}

/** Wrong options, and the patterns that the start's message has to match: the fault, its place, and the remedy. */
const BAD: readonly [what: string, options: object, told: readonly RegExp[]][] = [
  ['no options at all', { useFactory: () => undefined }, [/no options/, /useFactory of forRootAsync/]],
  [
    'empty options, every fault at once',
    { useFactory: () => ({}) },
    [
      /no storage.*new SqliteStorage\(/,
      /agents.*no function.*createChatAgent/,
      /no auth.*kind: 'host', getPrincipal/,
    ],
  ],
  ['an auth function that is absent', { auth: { kind: 'host' } }, [/getPrincipal is absent/]],
  ['no agent', { agents: () => [] }, [/returns no agent/, /at least one/]],
  [
    'a graph where an agent belongs',
    { agents: () => [{ stream() {}, invoke() {} }] },
    [/position 0 that is no Agent/, /new LangGraphAgent\(\{ \.\.\.kit, name, description, graph \}\)/],
  ],
  [
    'something else where an agent belongs',
    { agents: () => ['assistant'] },
    [/position 0/, /createChatAgent/],
  ],
  [
    'two agents of one name',
    { agents: () => [new ScriptedAgent(() => {}), new ScriptedAgent(() => {})] },
    [/Two agents are named 'scripted'/, /Rename one/],
  ],
  [
    'two tools of one name',
    { tools: [Refunds, Rebates] },
    [/Two tools are named 'refund': Refunds\.refund and Rebates\.rebate/, /Rename one in its @AgentTool/],
  ],
  [
    'a schema that is not an object',
    { tools: [Guesses] },
    [/Guesses\.guess \('guess'\)/, /Write input: z\.object/],
  ],
  [
    'a role of a tool that no caller can have, by the keys',
    {
      tools: [Refunds],
      auth: {
        kind: 'credentials',
        apiKeys: [{ key: 'a-key-of-sixteen-and-more', userId: 'u', tenant: 't', roles: ['finance'] }],
      },
    },
    [/tool 'refund' \(Refunds\.refund\).*role 'finanse'.*no caller can have.*Known roles: finance/],
  ],
  [
    'a role of an agent that no caller can have, by the list of roles',
    { roles: ['finance'], agents: () => [Object.assign(new ScriptedAgent(() => {}), { roles: ['ops'] })] },
    [/agent 'scripted'.*role 'ops'.*Known roles: finance/],
  ],
];

const at = (path: string, more: object = {}) =>
  ChatModule.forRoot({
    ...USABLE,
    storage: new MemoryStorage(),
    path,
    sessionPath: false,
    ...more,
  });
const shared = new MemoryStorage();
const directory = join(tmpdir(), 'never-made');

/** Two modules of one application, and what the start's message says. */
const CONFLICTS: readonly [what: string, modules: readonly DynamicModule[], told: RegExp][] = [
  ['one path', [at('support'), at('/support/')], /Two ChatModules have the path '.*another path/],
  [
    'one path for signing in',
    [at('api/support', { sessionPath: undefined }), at('api/sales', { sessionPath: undefined })],
    /the sessionPath 'api\/auth\/session'.*another sessionPath/,
  ],
  [
    'one prefix of protocols',
    [at('support', { protocols: {} }), at('sales', { protocols: {} })],
    /the protocols\.prefix 'protocols'/,
  ],
  [
    'one storage',
    [at('support', { storage: shared }), at('sales', { storage: shared })],
    /Two ChatModules keep their data in one place \(the same storage object\)/,
  ],
  [
    'one directory',
    [
      at('support', { storage: new SqliteStorage({ directory }) }),
      at('sales', { storage: new SqliteStorage({ directory: `${directory}/` }) }),
    ],
    /one place \(\S+never-made\).*another directory, database or schema/,
  ],
  [
    'one schema of a database',
    [
      at('support', { storage: new PostgresStorage({ url: 'postgres://ann:secret@db/chat' }) }),
      at('sales', { storage: new PostgresStorage({ url: 'postgres://bob:secret@db/chat' }) }),
    ],
    /one place \(schema agent_stream of db\/chat\)/,
  ],
];

describe('ChatModule with wrong options', () => {
  it.each(BAD)(
    'refuses to start a ChatModule with %s, and says what to write instead',
    async (_, given, told) => {
      const { tools, useFactory, ...options } = { tools: [], useFactory: undefined, ...given };
      const module = ChatModule.forRootAsync({
        tools,
        useFactory: useFactory ?? (() => ({ ...USABLE, ...options })),
      });
      const failure = await start(module);
      expect(failure).toBeInstanceOf(AppError);
      for (const words of told) expect(failure.message).toMatch(words);
    },
  );

  it.each(CONFLICTS)(
    'refuses to start with two ChatModules that have %s, and names it',
    async (_, modules, told) => {
      const failure = await start({ module: class {}, imports: [...modules] });
      expect(failure).toMatchObject({ code: 'CONFIG_INVALID' });
      expect(failure.message).toMatch(told);
      expect(failure.message).not.toContain('secret');
    },
  );

  it('starts with two of us that have one path in two versions, and nothing else in common', async () => {
    const modules = ['1', '2'].map((version) => at('support', { version }));
    await expect(start({ module: class {}, imports: modules })).rejects.toThrow('It has started.');
  });

  it.each<[string, object]>([
    ['when the host names no roles', {}],
    ['when its role is one of them', { roles: ['finance', 'finanse'] }],
    ['when a caller may use every tool', { auth: { kind: 'local' } }],
  ])('starts with a restricted tool %s', async (_, options) => {
    const module = ChatModule.forRoot({ ...USABLE, ...options, tools: [Refunds] });
    await expect(start(module)).rejects.toThrow('It has started.');
  });
});

/** Returns the error of a start that fails. */
async function start(module: ReturnType<typeof ChatModule.forRoot>): Promise<AppError> {
  const app = await NestFactory.create(module, { logger: false, abortOnError: false }).catch(
    (error: AppError) => error,
  );
  if (app instanceof Error) return app;
  try {
    await app.init();
  } catch (error) {
    return error as AppError;
  } finally {
    await app.close();
  }
  throw new Error('It has started.');
}
