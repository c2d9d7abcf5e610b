import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SecurityLog } from '../../src/security/security-log.service.js';
import { aborted } from '../../src/runs/run.testing.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import type { Storage } from '../../src/storage/storage.js';
import { chatServers, gate, type ChatServer, type ChatServerOptions } from '../support/chat.server.js';
import { testStorages } from '../support/storages.js';
import { until } from '../support/until.js';

const key = (user: string) => ({ 'x-api-key': `${user}-0123456789abcdef` });
const OPS = key('ops');
const LEAD = key('lead');
const ANN = key('ann');
const EVE = key('eve');

const auth = {
  kind: 'credentials',
  apiKeys: [
    { key: OPS['x-api-key'], userId: 'ops', tenant: 'ops', roles: ['operator'] },
    { key: LEAD['x-api-key'], userId: 'lead', tenant: 'acme', roles: ['lead'] },
    { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme', roles: ['staff'] },
    { key: EVE['x-api-key'], userId: 'eve', tenant: 'other', roles: ['staff'] },
  ],
} as const;

const options = (): ChatServerOptions => ({
  agents: () => [
    // Works until it is told to stop.
    new ScriptedAgent((_, { signal }) => aborted(signal), { name: 'worker' }),
    new ScriptedAgent(() => {}, { name: 'quick' }),
  ],
  operatorRoles: ['operator'],
  tenantOperatorRoles: ['lead'],
  auth,
});

const ask = (server: ChatServer, headers: Record<string, string>, agent = 'worker') =>
  server.startRun({ message: 'a secret of mine', agent }, headers);

async function list(server: ChatServer, query = '', headers = OPS) {
  const { status, body } = await server.call('GET', `/operator/runs${query}`, undefined, headers);
  return { status, body, ids: (body['items'] as { id: string }[] | undefined)?.map(({ id }) => id) };
}

describe('operator routes about runs', () => {
  const start = chatServers();
  const storages = testStorages();
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('show an operator the runs of all tenants, and an operator of a tenant those of the tenant, without what was said', async () => {
    const server = await start(options());
    const { runId: ann } = await ask(server, ANN);
    const { runId: eve } = await ask(server, EVE);
    expect((await list(server)).ids).toEqual([eve, ann]);
    expect((await list(server, '?status=running&first=oldest')).ids).toEqual([ann, eve]);
    expect((await list(server, '?tenant=other')).ids).toEqual([eve]);
    expect((await list(server, '?tenant=acme&userId=ann')).ids).toEqual([ann]);
    expect((await list(server, '?userId=ann')).status).toBe(400);
    expect((await list(server, '', LEAD)).ids).toEqual([ann]);
    expect((await list(server, '?userId=ann', LEAD)).ids).toEqual([ann]);
    expect((await list(server, '?tenant=other', LEAD)).ids).toEqual([]);
    const { body } = await list(server);
    expect(body['items']).toMatchObject([
      { tenant: 'other', userId: 'eve', agent: 'worker', status: 'running' },
      {},
    ]);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('refuse callers without a role, and operators of a tenant what concerns all tenants', async () => {
    const server = await start(options());
    const { runId } = await ask(server, EVE);
    for (const [method, path] of [
      ['GET', '/operator/runs'],
      ['GET', `/operator/runs/${runId}/log`],
      ['POST', `/operator/runs/${runId}/cancel`],
      ['POST', `/operator/runs/${runId}/requeue`],
    ] as const) {
      expect(await server.call(method, path, undefined, ANN)).toMatchObject({
        status: 403,
        body: { code: 'FORBIDDEN' },
      });
      if (path.includes(runId)) expect((await server.call(method, path, undefined, LEAD)).status).toBe(404);
    }
    for (const [method, path] of [
      ['GET', '/operator/queue'],
      ['POST', '/operator/drain'],
    ] as const)
      expect((await server.call(method, path, undefined, LEAD)).status).toBe(403);
    expect((await list(server, '?status=running')).ids).toEqual([runId]);

    const { operatorRoles: _, tenantOperatorRoles: __, ...without } = options();
    expect(await list(await start(without))).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/tenantOperatorRoles|AUTH_TENANT_OPERATOR_ROLES/) },
    });
  });

  it('show the log of a run without what was said', async () => {
    const server = await start({
      ...options(),
      agents: () => [
        new ScriptedAgent((_, context) => {
          for (const event of createAnswer(context, ['A secret answer.'])) void context.emit(event);
        }),
      ],
    });
    const stream = await server.ask({ message: 'a secret of mine' }, ANN);
    await stream.closed();
    const { runId } = (await stream.frame('ready')).data;
    const read = async (path: string, headers: Record<string, string>) =>
      (await fetch(`${server.url}${path}`, { headers })).text();
    const own = await read(`/runs/${String(runId)}/log`, ANN);
    expect(own).toContain('"A secret answer."');
    expect(own).not.toContain('a secret of mine');
    for (const who of [OPS, LEAD]) {
      const bare = await read(`/operator/runs/${String(runId)}/log`, who);
      expect(bare).toContain('"delta":"· ······ ·······"');
      expect(bare).not.toContain('secret');
      expect(bare.split('\n')).toHaveLength(own.split('\n').length);
    }
  });

  it('cancel the run of somebody else, and record who did it', async () => {
    const server = await start(options());
    const record = jest.spyOn(server.app.get(SecurityLog, { strict: false }), 'record');
    const { runId } = await ask(server, ANN);
    const stream = await server.watch(runId, undefined, { headers: ANN });
    expect((await server.call('POST', `/operator/runs/${runId}/cancel`, undefined, LEAD)).status).toBe(202);
    await stream.closed();
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'cancelled' });
    expect(record).toHaveBeenCalledWith(
      expect.objectContaining({
        type: 'run-cancelled',
        runId,
        subject: 'ann@acme',
        principal: expect.objectContaining({ userId: 'lead' }),
      }),
    );
    expect((await server.call('POST', '/operator/runs/none/cancel', undefined, OPS)).status).toBe(404);
  });

  it('requeue a run that is stuck: it begins again, and nothing that its old owner says is kept', async () => {
    const stuck = gate();
    let attempts = 0;
    const server = await start({
      ...options(),
      agents: () => [
        new ScriptedAgent(async (_, { emit }) => {
          attempts += 1;
          if (attempts > 1) return;
          await stuck.opened;
          void emit({ type: 'custom', name: 'late', data: 1 });
        }),
      ],
    });
    const { runId } = await server.startRun({ message: 'hello' }, ANN);
    const stream = await server.watch(runId, undefined, { headers: ANN });
    await until(() => attempts === 1);
    expect((await server.call('POST', `/operator/runs/${runId}/requeue`, undefined, OPS)).status).toBe(202);
    await stream.closed();
    stuck.open();
    expect(attempts).toBe(2);
    const types = stream.events.map(({ data }) => data['type']);
    expect(types).toContain('run-resume');
    expect(types).not.toContain('custom');
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });
    expect((await list(server)).body['items']).toMatchObject([{ id: runId, status: 'completed' }]);
    // One that has ended stays as it is.
    expect(await server.call('POST', `/operator/runs/${runId}/requeue`, undefined, OPS)).toMatchObject({
      status: 202,
      body: { status: 'completed' },
    });
  });

  it('count the queue, and drain the instance that replies: others take its runs, and it takes none', async () => {
    const storage = await storages.make('postgres');
    const begun: string[] = [];
    const instance = (name: string, shared: Storage): ChatServerOptions => ({
      ...options(),
      storage: shared,
      maxConcurrentRuns: 2,
      agents: () => [
        new ScriptedAgent((_, { signal }) => {
          begun.push(name);
          return aborted(signal);
        }),
      ],
    });
    const first = await start(instance('first', storage));
    const { runId } = await first.startRun({ message: 'hello' }, ANN);
    await until(() => begun.length === 1);
    expect((await first.call('GET', '/operator/queue', undefined, OPS)).body).toEqual({
      pending: 0,
      running: 1,
      instance: { name: expect.any(String), status: 'working', runs: 1, maxRuns: 2, streams: 0 },
    });
    const second = await start(instance('second', storages.sibling(storage)));
    expect(await first.call('POST', '/operator/drain', undefined, OPS)).toMatchObject({
      status: 202,
      body: { instance: { status: 'draining' } },
    });
    await until(() => begun.includes('second'));
    const next = await first.startRun({ message: 'hello' }, EVE);
    await until(() => begun.length === 3);
    expect(begun).toEqual(['first', 'second', 'second']);
    expect((await first.call('GET', '/operator/queue', undefined, OPS)).body).toMatchObject({
      running: 2,
      instance: { status: 'draining', runs: 0 },
    });
    for (const id of [runId, next.runId])
      await second.call('POST', `/operator/runs/${id}/cancel`, undefined, OPS);
  });
});
