import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ChatHealthIndicator, ChatModule } from '../../src/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { ScriptedAgent } from '../../src/testing/index.js';
import { gate } from '../support/chat.server.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly chat: ChatHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.chat.checkReady()]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.chat.checkAlive('assistant')]);
  }
}

class FailingStorage extends MemoryStorage {
  isAway = false;

  override async check(): Promise<void> {
    if (this.isAway) throw new Error('The database is away.');
  }
}

describe.each(FRAMEWORKS)("the health indicator, in a host's terminus on %s", (framework) => {
  const start = hostServers();

  function serve({ storage = new FailingStorage(), begun = gate(), ended = Promise.resolve() } = {}) {
    @Module({
      imports: [
        TerminusModule.forRoot({ logger: false }),
        ChatModule.forRoot({
          storage,
          auth: { kind: 'local' },
          agents: () => [
            new ScriptedAgent(async () => {
              begun.open();
              await ended;
            }),
          ],
          drainMs: 60_000,
        }),
      ],
      controllers: [HealthController],
    })
    class HostModule {}
    return start(HostModule, { framework });
  }

  it('is up while requests can be answered, and down while the storage does not answer', async () => {
    const storage = new FailingStorage();
    const server = await serve({ storage });
    const up = { status: 'ok', info: { chat: { status: 'up' } } };
    expect(await server.call('GET', '/health/ready')).toMatchObject({ status: 200, body: up });
    expect(await server.call('GET', '/health/live')).toMatchObject({
      status: 200,
      body: { info: { assistant: { status: 'up' } } },
    });

    storage.isAway = true;
    expect(await server.call('GET', '/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'error', error: { chat: { status: 'down', reason: 'storage-failed' } } },
    });
    expect(await server.call('GET', '/health/live')).toMatchObject({ status: 200 });

    storage.isAway = false;
    expect(await server.call('GET', '/health/ready')).toMatchObject({ status: 200 });
  });

  it('is down from the first moment of a shutdown, while runs are still being handed over', async () => {
    const begun = gate();
    const end = gate();
    const server = await serve({ begun, ended: end.opened });
    await server.call('POST', '/api/chat/runs', { body: { message: 'hello' } });
    await begun.opened;
    const closing = server.app.close();
    expect(await server.call('GET', '/health/ready')).toMatchObject({
      status: 503,
      body: { error: { chat: { status: 'down', reason: 'draining' } } },
    });
    end.open();
    await closing;
  });
});
