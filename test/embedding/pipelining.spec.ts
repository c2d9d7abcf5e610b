import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ChatModule } from '../../src/chat/chat.module.js';
import { SseStreams } from '../../src/http/sse-streams.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { ScriptedAgent } from '../../src/testing/index.js';
import { InProcessOpenStreams } from '../../src/throttling/in-process-open-streams.js';
import { OpenStreams } from '../../src/throttling/open-streams.js';
import { RawConnection } from '../support/raw-connection.js';
import { until } from '../support/until.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

const JSON_BODY = '{"message":"hello"}';
const HEADERS = { 'content-type': 'application/json', 'content-length': String(JSON_BODY.length) };

describe.each(FRAMEWORKS)('connection with pipelined requests on %s', (framework) => {
  const start = hostServers();

  it('releases every stream of a connection with pipelined requests when it closes', async () => {
    const server = await start(
      ChatModule.forRoot({
        storage: new MemoryStorage(),
        auth: { kind: 'local' },
        // The run goes on, and so do its streams.
        agents: () => [new ScriptedAgent(async (_input, { signal }) => void (await once(signal, 'abort')))],
        drainMs: 0,
      }),
      { framework },
    );
    const streams = server.app.get(SseStreams, { strict: false });
    const counted = server.app.get<InProcessOpenStreams>(OpenStreams, { strict: false });
    const connection = await RawConnection.open(server.port);
    for (let request = 0; request < 3; request++) connection.request('POST', '/api/chat', HEADERS, JSON_BODY);
    await until(() => streams.size === 3);
    expect(counted.principals).toBe(1);

    connection.leave();
    await until(() => streams.size === 0);
    await until(() => counted.principals === 0);
  });
});
