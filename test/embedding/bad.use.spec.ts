import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { AgentTool, AppError, ChatModule, MemoryStorage, type ChatModuleOptions } from '../../src/index.js';
import { ScriptedAgent } from '../../src/testing/index.js';

const USABLE: ChatModuleOptions = {
  storage: new MemoryStorage(),
  agents: () => [new ScriptedAgent(() => {})],
  auth: { kind: 'host', principalOf: () => undefined },
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

/** What somebody wrote, and what the start has to tell them: what is wrong, where, and what to write instead. */
const BAD: readonly [what: string, options: object, told: readonly RegExp[]][] = [
  ['no options at all', { useFactory: () => undefined }, [/no options/, /useFactory of forRootAsync/]],
  [
    'nothing in them: every fault at once',
    { useFactory: () => ({}) },
    [
      /no storage.*new SqliteStorage\(/,
      /agents.*no function.*createChatAgent/,
      /no auth.*kind: 'host', principalOf/,
    ],
  ],
  ['an auth function that is absent', { auth: { kind: 'host' } }, [/principalOf is absent/]],
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
    'a schema that is no object',
    { tools: [Guesses] },
    [/Guesses\.guess \('guess'\)/, /Write input: z\.object/],
  ],
  [
    'a role of a tool that nobody can have, by the keys',
    {
      tools: [Refunds],
      auth: {
        kind: 'credentials',
        apiKeys: [{ key: 'a-key-of-sixteen-and-more', userId: 'u', tenant: 't', roles: ['finance'] }],
      },
    },
    [/tool 'refund' \(Refunds\.refund\).*role 'finanse'.*nobody can have.*There are: finance/],
  ],
  [
    'a role of an agent that nobody can have, by the list of roles',
    { roles: ['finance'], agents: () => [Object.assign(new ScriptedAgent(() => {}), { roles: ['ops'] })] },
    [/agent 'scripted'.*role 'ops'.*There are: finance/],
  ],
];

describe('an application in which we are used wrongly', () => {
  it.each(BAD)('does not start with %s, and says what to write instead', async (_, given, told) => {
    const { tools, useFactory, ...options } = { tools: [], useFactory: undefined, ...given };
    const module = ChatModule.forRootAsync({
      tools,
      useFactory: useFactory ?? (() => ({ ...USABLE, ...options })),
    });
    const failure = await start(module);
    expect(failure).toBeInstanceOf(AppError);
    for (const words of told) expect(failure.message).toMatch(words);
  });

  it.each<[string, object]>([
    ['when the host says nothing of its roles', {}],
    ['when it is among the roles', { roles: ['finance', 'finanse'] }],
    ['when some caller may do everything', { auth: { kind: 'local' } }],
  ])('starts with a restricted tool %s', async (_, options) => {
    const module = ChatModule.forRoot({ ...USABLE, ...options, tools: [Refunds] });
    await expect(start(module)).rejects.toThrow('It has started.');
  });
});

/** Why it did not start. */
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
