import { describe, expect, it } from '@jest/globals';
import { ChatModule, type IncomingRequest } from '../../src/index.js';
import { PostgresStorage } from '../../src/postgres.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { ScriptedAgent } from '../../src/testing/index.js';
import { gate } from '../support/chat.server.js';
import { nineWords } from '../support/plays.js';
import { sharedData } from '../support/storages.js';
import { hostServers } from './host.server.js';

describe('two replicas of a host on one PostgreSQL, with nothing set but its address', () => {
  const data = sharedData();
  const start = hostServers();

  const serve = (schema: string, more: object = {}) =>
    start(
      ChatModule.forRoot({
        storage: new PostgresStorage({ url: data.url, schema, poolSize: 3 }),
        auth: {
          kind: 'host',
          getPrincipal: ({ headers }: IncomingRequest) =>
            headers['x-user'] ? { userId: String(headers['x-user']), tenant: 'acme', roles: [] } : undefined,
        },
        agents: () => [new ScriptedAgent(nineWords)],
        drainMs: 0,
        ...more,
      }),
    );
  const headers = { 'x-user': 'ann' };

  it('open streams by tickets of each other', async () => {
    const schema = schemaName();
    const [one, other] = [await serve(schema), await serve(schema)];
    const asked = await one.ask('/api/chat', { headers });
    await asked.closed();
    const runPath = `/api/chat/runs/${String(asked.frames[0]!.data['runId'])}`;
    const { body } = await one.call('POST', `${runPath}/ticket`, { headers });
    const watched = await other.stream(String(body['eventsUrl']));
    await watched.closed();
    expect(watched.events).toEqual(asked.events);
  });

  it('count the starts of a principal together', async () => {
    const schema = schemaName();
    const throttling = { startsPerMinute: 3 };
    const [one, other] = [await serve(schema, { throttling }), await serve(schema, { throttling })];
    const statuses: number[] = [];
    for (const server of [one, other, one, other]) {
      const { status } = await server.call('POST', '/api/chat/runs', { headers, body: { message: 'hello' } });
      statuses.push(status);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
  });

  it('count the open streams of a principal together', async () => {
    const schema = schemaName();
    const silent = gate();
    const options = {
      throttling: { maxOpenStreams: 1 },
      agents: () => [new ScriptedAgent(() => silent.opened)],
    };
    const [one, other] = [await serve(schema, options), await serve(schema, options)];
    const stream = await one.ask('/api/chat', { headers });
    const { runId } = (await stream.frame('ready')).data;
    const second = await other.call('GET', `/api/chat/runs/${String(runId)}/events`, { headers });
    expect(second).toMatchObject({ status: 429, body: { code: 'TOO_MANY_STREAMS' } });
    silent.open();
    await stream.closed();
  });
});
