import { describe, expect, it } from '@jest/globals';
import { ScriptedAgent } from '../src/testing/scripted.agent.js';
import type { RunEvent } from '../src/events/run-event.js';
import { chatServers, type ChatServer, type ChatServerOptions } from './support/chat.server.js';

const key = (user: string) => ({ 'x-api-key': `${user}-0123456789abcdef` });
const OPS = key('ops');
const LEAD = key('lead');
const ANN = key('ann');
const EVE = key('eve');

/** A model call of 1,000 tokens in and 100 out. */
const call = (model: string): RunEvent => ({
  type: 'usage',
  inputTokens: 1_000,
  outputTokens: 100,
  totalTokens: 1_100,
  cachedInputTokens: 500,
  model,
});

const options = (): ChatServerOptions => ({
  prices: { currency: 'EUR', models: { 'mini-*': { input: 0.4, cachedInput: '0.1', output: 1.6 } } },
  agents: () => [
    // Calls the models that the message names.
    new ScriptedAgent(
      (input, { emit }) => {
        for (const model of input.message.split(' ')) void emit(call(model));
      },
      { name: 'chat' },
    ),
    new ScriptedAgent(
      (_, { emit }) => {
        void emit(call('mini-1'));
        throw new Error('no');
      },
      { name: 'broken' },
    ),
  ],
  operatorRoles: ['operator'],
  tenantOperatorRoles: ['lead'],
  auth: {
    kind: 'credentials',
    apiKeys: [
      { key: OPS['x-api-key'], userId: 'ops', tenant: 'ops', roles: ['operator'] },
      { key: LEAD['x-api-key'], userId: 'lead', tenant: 'acme', roles: ['lead'] },
      { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme' },
      { key: EVE['x-api-key'], userId: 'eve', tenant: 'other' },
    ],
  },
});

/** 500 tokens at 0.4, 500 at 0.1, and 100 at 1.6. */
const COST = 200 + 50 + 160;

async function ask(server: ChatServer, message: string, headers = ANN, agent = 'chat') {
  const stream = await server.ask({ message, agent }, headers);
  const { data } = await stream.frame('ready');
  await stream.closed();
  const events = stream.events.map((frame) => frame.data);
  return { threadId: String(data['threadId']), runId: String(data['runId']), events };
}

const get = async (server: ChatServer, path: string, headers: Record<string, string>) => {
  const { status, body } = await server.call('GET', path, undefined, headers);
  return status === 200 ? body : { status };
};

describe('costs', () => {
  const start = chatServers();

  it('stand on each model call and on the end of the run, and unknown models are counted apart', async () => {
    const server = await start(options());
    const { events, runId, threadId } = await ask(server, 'mini-1 other mini-2');
    expect(events.filter(({ type }) => type === 'usage')).toMatchObject([
      { model: 'mini-1', costMicros: COST },
      { model: 'other', unpricedTokens: 1_100 },
      { model: 'mini-2', costMicros: COST },
    ]);
    const usage = { costMicros: 2 * COST, unpricedTokens: 1_100, totalTokens: 3_300 };
    expect(events.at(-1)).toMatchObject({ type: 'end', usage });
    expect(await get(server, `/runs/${runId}`, ANN)).toMatchObject({ usage });
    expect(await get(server, '/runs', ANN)).toMatchObject({ items: [{ id: runId, usage }] });
    expect(await get(server, `/threads/${threadId}/usage`, ANN)).toMatchObject({ currency: 'EUR', usage });
    expect(await get(server, `/threads/${threadId}/usage`, EVE)).toEqual({ status: 404 });
  });

  it('are summed for whoever may see them, and outlive the thread', async () => {
    // It may end before the test does.
    const from = new Date().toISOString().slice(0, 7);
    const server = await start(options());
    const { threadId } = await ask(server, 'mini-1');
    await ask(server, 'other');
    await ask(server, 'mini-1', ANN, 'broken');
    await ask(server, 'mini-1 mini-1 mini-1', EVE);
    expect((await server.call('DELETE', `/threads/${threadId}`, undefined, ANN)).status).toBe(204);

    const to = new Date().toISOString().slice(0, 7);
    const own = await get(server, '/usage?by=agent', ANN);
    expect(own).toMatchObject({
      currency: 'EUR',
      items: [
        { agent: 'chat', runs: 2, usage: { costMicros: COST, unpricedTokens: 1_100 } },
        { agent: 'broken', runs: 1, usage: { costMicros: COST } },
      ],
    });
    expect(await get(server, `/usage?by=month&from=${from}&to=${to}`, EVE)).toMatchObject({
      items: [
        { month: expect.stringMatching(`^(${from}|${to})$`), runs: 1, usage: { costMicros: 3 * COST } },
      ],
    });
    expect(await get(server, '/usage', OPS)).toEqual({ currency: 'EUR', items: [] });

    expect(await get(server, '/operator/usage?by=tenant', OPS)).toMatchObject({
      items: [
        { tenant: 'other', usage: { costMicros: 3 * COST } },
        { tenant: 'acme', runs: 3, usage: { costMicros: 2 * COST } },
      ],
    });
    const acme = { items: [{ tenant: 'acme', userId: 'ann', runs: 3, usage: { costMicros: 2 * COST } }] };
    expect(await get(server, '/operator/usage?by=user', LEAD)).toMatchObject(acme);
    expect(await get(server, '/operator/usage?by=user&tenant=acme&userId=ann', OPS)).toMatchObject(acme);
    expect(await get(server, '/operator/usage?tenant=other', LEAD)).toMatchObject({ items: [] });
    expect(await get(server, '/operator/usage?userId=ann', OPS)).toEqual({ status: 400 });
    expect(await get(server, '/operator/usage', ANN)).toEqual({ status: 403 });
    for (const query of ['?by=user', '?by=odd', '?from=2026', '?to=2026-13'])
      expect(await get(server, `/usage${query}`, ANN)).toEqual({ status: 400 });
  });

  it('are absent without prices', async () => {
    const { prices: _, ...without } = options();
    const server = await start(without);
    const { events } = await ask(server, 'mini-1');
    expect(JSON.stringify(events)).not.toMatch(/costMicros|unpriced/);
    expect(await get(server, '/usage', ANN)).toMatchObject({
      currency: 'USD',
      items: [{ usage: { totalTokens: 1_100 } }],
    });
  });

  it('need a sound table of prices at the start', async () => {
    await expect(
      start({ ...options(), prices: { models: { m: { input: -1, output: 1 } } } }),
    ).rejects.toThrow('prices of ChatModule.models["m"].input must be a number');
  });
});
