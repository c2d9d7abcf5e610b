import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { ClsModule, ClsService } from 'nestjs-cls';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, ChatModule, type ToolContext } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

const WHOAMI = 'who_am_i';

/** Knows who asks from the host's context alone, as code that was there before us does. */
@Injectable()
class Account {
  constructor(private readonly cls: ClsService) {}

  @AgentTool({
    name: WHOAMI,
    label: 'Looking you up…',
    description: 'Says who asks.',
    input: z.object({}),
    expose: { output: true },
  })
  async *whoAmI(_: object, { principal }: ToolContext) {
    yield this.seen();
    await new Promise((resolve) => setImmediate(resolve));
    return { ...this.seen(), principal: principal.userId };
  }

  private seen() {
    return { userId: this.cls.get<string>('userId'), traceId: this.cls.get<string>('traceId') };
  }
}

/** Calls the tool, then says what it was told. */
const model = () =>
  new ScriptedModel((messages) => {
    const [answer] = findToolMessages(messages);
    if (answer) return { chunks: [answer.text] };
    return { calls: [{ id: `call-${messages.length}`, name: WHOAMI, args: '{}' }] };
  });

@Module({
  imports: [
    ClsModule.forRoot({
      global: true,
      middleware: {
        mount: true,
        setup: (cls, request: { headers: Record<string, string> }) =>
          cls.set('traceId', request.headers['x-trace']),
      },
    }),
    ChatModule.forRootAsync({
      inject: [ClsService],
      useFactory: (cls: ClsService) => ({
        storage: new MemoryStorage(),
        auth: {
          kind: 'host' as const,
          getPrincipal: ({ headers }) => ({ userId: String(headers['x-user']), tenant: 'acme', roles: [] }),
        },
        agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model: model() })],
        hooks: {
          // In the request: its context is the one that the host's middleware has made.
          beforeRun: ({ metadata }) => ({ metadata: { ...metadata, traceId: cls.get<string>('traceId') } }),
          // Outside it: the context is made anew from what the run remembers.
          aroundRun: ({ principal, metadata }, work) =>
            cls.run(async () => {
              cls.set('userId', principal.userId);
              cls.set('traceId', metadata['traceId']);
              await work();
            }),
        },
        drainMs: 0,
      }),
    }),
  ],
  providers: [Account],
})
class HostModule {}

describe.each(FRAMEWORKS)('async-local context of the host on %s', (framework) => {
  const start = hostServers();

  it('gives each tool call the async-local values of its own run while other runs execute', async () => {
    const server = await start(HostModule, { framework });
    const people = ['ada', 'bob', 'cleo', 'dan'];
    const streams = await Promise.all(
      people.map((name) =>
        server.ask('/api/chat', { headers: { 'x-user': name, 'x-trace': `trace-of-${name}` } }),
      ),
    );
    for (const [index, stream] of streams.entries()) {
      await stream.closed();
      const userId = people[index]!;
      const traceId = `trace-of-${userId}`;
      expect((await stream.frame('tool-end')).data).toMatchObject({
        outcome: 'ok',
        output: { userId, traceId, principal: userId },
      });
      expect(JSON.parse(stream.text)).toEqual({ userId, traceId, principal: userId });
    }
  });
});
