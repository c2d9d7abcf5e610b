import { describe, expect, it } from '@jest/globals';
import type { ListedRun } from '../src/client/chat.types.js';
import { ScriptedAgent } from '../src/testing/scripted.agent.js';
import { chatServers, type ChatServerOptions } from './support/chat.server.js';

const ANN = { 'x-api-key': 'ann-0123456789abcdef' };
const BOB = { 'x-api-key': 'bob-0123456789abcdef' };

const options = (): ChatServerOptions => ({
  agents: () => [
    new ScriptedAgent(() => {}, { name: 'chat' }),
    new ScriptedAgent(() => Promise.reject(new Error('no')), { name: 'broken' }),
  ],
  auth: {
    kind: 'credentials',
    apiKeys: [
      { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme' },
      { key: BOB['x-api-key'], userId: 'bob', tenant: 'acme' },
    ],
  },
});

describe('GET /runs', () => {
  const start = chatServers();

  it("lists the caller's runs of all threads by status and agent, page by page, without what was said", async () => {
    const server = await start(options());
    const ask = async (agent: string, headers: Record<string, string>) => {
      const stream = await server.ask({ message: `to ${agent}`, agent }, headers);
      const { data } = await stream.frame('ready');
      await stream.closed();
      return String(data['runId']);
    };
    const chat = await ask('chat', ANN);
    const broken = await ask('broken', ANN);
    const other = await ask('chat', BOB);

    const list = async (query: string, headers = ANN) => {
      const { status, body } = await server.call('GET', `/runs${query}`, undefined, headers);
      return { status, ids: (body['items'] as { id: string }[] | undefined)?.map(({ id }) => id), body };
    };
    expect((await list('')).ids).toEqual([broken, chat]);
    expect((await list('', BOB)).ids).toEqual([other]);
    expect((await list('?first=oldest')).ids).toEqual([chat, broken]);
    expect((await list('?agent=chat')).ids).toEqual([chat]);
    expect((await list('?status=failed')).ids).toEqual([broken]);
    expect((await list('?status=failed&status=completed')).ids).toEqual([broken, chat]);
    expect((await list(`?since=${Date.now() + 60_000}`)).ids).toEqual([]);

    const page = await list('?limit=1');
    expect(page.ids).toEqual([broken]);
    expect((await list(`?limit=1&cursor=${String(page.body['nextCursor'])}`)).ids).toEqual([chat]);

    expect(page.body['items']).toMatchObject([
      { title: 'to broken', agent: 'broken', status: 'failed', error: { code: 'RUN_FAILED' } },
    ]);
    expect(JSON.stringify((await list('?agent=chat')).body)).not.toMatch(/"message"|metadata|"acme"/);
    for (const query of ['?status=odd', '?limit=1000', '?since=soon', '?first=middle'])
      expect(await list(query)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });

  it('lists first what cost most, or took longest', async () => {
    const server = await start({
      play: ({ message }, { emit }) => {
        const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2, costMicros: Number(message) };
        void emit({ type: 'usage', model: 'm', ...usage });
      },
      prices: { currency: 'EUR', models: {} },
    });
    for (const message of ['20', '900', '3']) await server.finishedRun({ message });
    const list = async (query: string) => {
      const { body } = await server.call('GET', `/runs?${query}`);
      const items = body['items'] as ListedRun[];
      return { items, next: body['nextCursor'] as string | undefined };
    };
    const costs = (items: readonly ListedRun[]) => items.map(({ usage }) => usage?.costMicros);
    const first = await list('first=dearest&limit=2');
    expect(costs(first.items)).toEqual([900, 20]);
    expect(costs((await list(`first=dearest&cursor=${first.next}`)).items)).toEqual([3]);
    const took = (await list('first=longest')).items.map(({ createdAt, endedAt = 0 }) => endedAt - createdAt);
    expect(took).toHaveLength(3);
    expect(took).toEqual(took.toSorted((one, other) => other - one));
  });
});
