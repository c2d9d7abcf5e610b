import { describe, expect, it } from '@jest/globals';
import { ChatModule } from '../../src/chat/chat.module.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { ScriptedAgent } from '../../src/testing/index.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

describe.each(FRAMEWORKS)('onError hook on %s', (framework) => {
  const start = hostServers();
  const told: { error: unknown; url: unknown }[] = [];

  const serve = (throws: boolean) =>
    start(
      ChatModule.forRoot({
        storage: new MemoryStorage(),
        auth: { kind: 'local' },
        agents: () => [new ScriptedAgent(() => {})],
        drainMs: 0,
        hooks: {
          beforeRun: () => {
            throw new Error('the policy service is away');
          },
          onError: (error, request) => {
            told.push({ error, url: (request as { url?: unknown }).url });
            if (throws) throw new Error('and so is the collector');
          },
        },
      }),
      { framework },
    );

  it.each([false, true])(
    'passes an unexpected error with its request to onError, and replies the same (onError throws: %s)',
    async (throws) => {
      told.length = 0;
      const server = await serve(throws);
      const answer = await server.call('POST', '/api/chat/runs', { body: { message: 'hello' } });
      expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
      expect(told).toMatchObject([
        { error: { message: 'the policy service is away' }, url: '/api/chat/runs' },
      ]);
    },
  );

  it('does not call onError for an error of the caller', async () => {
    told.length = 0;
    const server = await serve(false);
    expect(await server.call('GET', '/api/chat/runs/none')).toMatchObject({ status: 404 });
    expect(await server.call('POST', '/api/chat/runs', { body: {} })).toMatchObject({ status: 400 });
    expect(told).toEqual([]);
  });
});
