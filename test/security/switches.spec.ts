import { describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, RunFeed, SwitchService, type ToolContext } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import type { Storage } from '../../src/storage/index.js';
import { SecurityLog } from '../../src/security/security-log.service.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { aborted } from '../../src/runs/run.testing.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, type ChatServer, type ChatServerOptions } from '../support/chat.server.js';
import { sharedData } from '../support/storages.js';
import { until } from '../support/until.js';

const key = (user: string) => ({ 'x-api-key': `${user}-0123456789abcdef` });
const OPS = key('ops');
const ANN = key('ann');
const BOB = key('bob');
const EVE = key('eve');

/** A tool that works until it is told to stop, and one that is done at once. */
@Injectable()
class Tools {
  @AgentTool({ name: 'wait', label: 'Waiting…', description: 'Waits.', input: z.object({}) })
  async wait(_: object, { signal }: ToolContext): Promise<string> {
    await aborted(signal);
    return 'stopped';
  }

  @AgentTool({ name: 'nod', label: 'Nodding…', description: 'Nods.', input: z.object({}), approval: true })
  nod(): string {
    return 'nodded';
  }
}

/** Calls the tool that the message names, and then says what it was answered. */
const caller = () =>
  new ScriptedModel((messages) => {
    const answers = findToolMessages(messages);
    if (answers.length > 0) return { chunks: answers.map(({ text }) => text) };
    return { calls: [{ id: 'c1', name: messages.at(-1)?.text ?? '', args: '{}' }] };
  });

const options = (): ChatServerOptions => ({
  agents: (kit) => [
    createChatAgent({ ...kit, name: 'caller', description: 'Calls.', model: caller() }),
    // Works until it is told to stop.
    new ScriptedAgent((_, { signal }) => aborted(signal), { name: 'worker' }),
    new ScriptedAgent(() => {}, { name: 'quick' }),
  ],
  tools: [Tools],
  protocols: {},
  operatorRoles: ['operator'],
  auth: {
    kind: 'credentials',
    apiKeys: [
      { key: OPS['x-api-key'], userId: 'ops', tenant: 'ops', roles: ['operator'] },
      { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme', roles: ['staff'] },
      { key: BOB['x-api-key'], userId: 'bob', tenant: 'acme' },
      { key: EVE['x-api-key'], userId: 'eve', tenant: 'other', roles: ['operator'] },
    ],
  },
});

const SWITCHED_OFF = { status: 403, body: { code: 'SWITCHED_OFF' } };

async function turn(server: ChatServer, to: 'off' | 'on', target: object, headers = OPS, reason?: string) {
  return server.call('POST', `/operator/switches/${to}`, { target, ...(reason && { reason }) }, headers);
}

async function readEnd(server: ChatServer, runId: string, headers: Record<string, string>) {
  const stream = await server.watch(runId, undefined, { headers });
  await stream.closed();
  return stream.events.at(-1)?.data;
}

/** The end of a run, for those whom no route lets see it. */
async function readLast(server: ChatServer, runId: string) {
  return (await lastValueFrom(server.app.get(RunFeed).follow({ runId, afterSeq: 0 }))).event;
}

const failed = { type: 'end', outcome: 'failed', error: { code: 'SWITCHED_OFF', retryable: false } };

describe('switch', () => {
  const start = chatServers();

  it('refuses switches to callers without an operator role, and to everyone if no role is configured', async () => {
    const server = await start(options());
    const target = { kind: 'agent', name: 'worker' };
    expect(await turn(server, 'off', target, ANN)).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    });
    expect(await turn(server, 'on', target, ANN)).toMatchObject({ status: 403 });
    expect((await server.call('GET', '/operator/switches', undefined, ANN)).status).toBe(403);
    expect((await server.call('GET', '/operator/switches')).status).toBe(401);
    expect((await turn(server, 'off', target, EVE)).status).toBe(200);

    const { operatorRoles: _, ...without } = options();
    expect(await turn(await start(without), 'off', target)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/operatorRoles|AUTH_OPERATOR_ROLES/) },
    });
  });

  it('lists a switch with its operator and reason, and records it in the security log', async () => {
    const server = await start(options());
    const record = jest.spyOn(server.app.get(SecurityLog, { strict: false }), 'record');
    const target = { kind: 'user', tenant: 'acme', userId: 'a/b:c d' };
    await turn(server, 'off', target, OPS, 'Leaked a key.');
    await turn(server, 'off', { kind: 'tool', name: 'nood' });
    expect((await server.call('GET', '/operator/switches', undefined, OPS)).body).toMatchObject({
      items: [
        { target: { kind: 'tool', name: 'nood' }, isKnown: false },
        { target, reason: 'Leaked a key.', by: { tenant: 'ops', userId: 'ops' }, at: expect.any(Number) },
      ],
    });
    expect((await turn(server, 'on', target)).status).toBe(204);
    expect((await turn(server, 'on', target)).status).toBe(204);
    const types = record.mock.calls.map(([{ type, subject }]) => `${type} ${subject}`);
    expect(types).toEqual([
      'switched-off user:acme:a%2Fb%3Ac%20d',
      'switched-off tool:nood',
      'switched-on user:acme:a%2Fb%3Ac%20d',
      'switched-on user:acme:a%2Fb%3Ac%20d',
    ]);
  });

  it('refuses a switch that would lock out its own operator', async () => {
    const server = await start(options());
    for (const target of [
      { kind: 'user', tenant: 'ops', userId: 'ops' },
      { kind: 'tenant', tenant: 'ops' },
    ])
      expect((await turn(server, 'off', target)).status).toBe(400);
    expect((await turn(server, 'off', { kind: 'else', name: 'x' })).status).toBe(400);
  });

  it('fails running and pending runs of an agent that is switched off, and refuses new ones', async () => {
    const server = await start({ ...options(), maxConcurrentRuns: 1 });
    const ask = (agent: string) => server.startRun({ message: 'x', agent }, ANN);
    const atWork = await ask('worker');
    const waiting = await ask('worker');
    const other = await ask('quick');
    expect((await turn(server, 'off', { kind: 'agent', name: 'worker' })).body).toMatchObject({
      isKnown: true,
    });
    for (const { runId } of [atWork, waiting])
      expect(await readEnd(server, runId, ANN)).toMatchObject(failed);
    expect(await readEnd(server, other.runId, ANN)).toMatchObject({ outcome: 'completed' });
    expect(await server.call('POST', '/runs', { message: 'x', agent: 'worker' }, ANN)).toMatchObject(
      SWITCHED_OFF,
    );
    expect((await server.ask({ message: 'x', agent: 'worker' }, ANN)).status).toBe(403);
    await turn(server, 'on', { kind: 'agent', name: 'worker' });
    await ask('worker');
  });

  it('keeps open approvals of an agent that is switched off, for decisions after it is on again', async () => {
    const server = await start(options());
    const stream = await server.ask({ message: 'nod' }, ANN);
    await stream.closed();
    const { runId } = (await stream.frame('ready')).data;
    const { inputId } = (await stream.frame('input-request')).data;
    const approve = () =>
      server.call('POST', `/runs/${String(runId)}/inputs/${String(inputId)}`, { decision: 'approve' }, ANN);
    await turn(server, 'off', { kind: 'agent', name: 'caller' });
    expect(await approve()).toMatchObject(SWITCHED_OFF);
    await turn(server, 'on', { kind: 'agent', name: 'caller' });
    const { continuedBy } = (await approve()).body as { continuedBy: { runId: string } };
    expect(await readEnd(server, continuedBy.runId, ANN)).toMatchObject({ outcome: 'completed' });
  });

  it('stops the running call of a tool that is switched off, and denies later and approved ones', async () => {
    const server = await start(options());
    const record = jest.spyOn(server.app.get(SecurityLog, { strict: false }), 'record');
    const asked = await server.ask({ message: 'nod' }, ANN);
    await asked.closed();
    const { runId } = (await asked.frame('ready')).data;
    const { inputId } = (await asked.frame('input-request')).data;
    const atWork = await server.ask({ message: 'wait' }, ANN);
    await atWork.frame('tool-start');
    for (const name of ['wait', 'nod']) await turn(server, 'off', { kind: 'tool', name });
    await atWork.closed();
    expect((await atWork.frame('tool-end')).data).toMatchObject({
      outcome: 'denied',
      error: { code: 'TOOL_DENIED' },
    });
    expect(atWork.text).toContain("switched the tool 'wait' off");
    const again = await server.ask({ message: 'wait' }, ANN);
    await again.closed();
    expect((await again.frame('tool-end')).data).toMatchObject({ outcome: 'denied' });
    expect(again.text).toBe("An operator has switched the tool 'wait' off.");
    expect(record).toHaveBeenCalledWith(
      expect.objectContaining({
        type: 'tool-refused',
        subject: 'wait',
        principal: expect.objectContaining({ userId: 'ann' }),
      }),
    );
    const { body } = await server.call(
      'POST',
      `/runs/${String(runId)}/inputs/${String(inputId)}`,
      { decision: 'approve' },
      ANN,
    );
    const next = await server.watch((body['continuedBy'] as { runId: string }).runId, undefined, {
      headers: ANN,
    });
    await next.closed();
    expect(next.text).toBe("An operator has switched the tool 'nod' off.");
  });

  it('refuses all requests of a user who is switched off, closes the streams and fails the runs', async () => {
    const server = await start(options());
    const stream = await server.ask({ message: 'x', agent: 'worker' }, ANN);
    const { runId, threadId } = (await stream.frame('ready')).data;
    const bobs = await server.ask({ message: 'x', agent: 'worker' }, BOB);
    await bobs.frame('ready');
    await turn(server, 'off', { kind: 'user', tenant: 'acme', userId: 'ann' });
    await until(() => stream.ended !== undefined, 'the stream of ann ends');
    const get = async (path: string, headers: Record<string, string>, body?: object) =>
      (
        await fetch(`${server.origin}${path}`, {
          method: body ? 'POST' : 'GET',
          headers: { 'content-type': 'application/json', ...headers },
          ...(body && { body: JSON.stringify(body) }),
        })
      ).status;
    for (const path of ['/threads', `/threads/${String(threadId)}`, `/runs/${String(runId)}`, '/agents'])
      expect(await server.call('GET', path, undefined, ANN)).toMatchObject(SWITCHED_OFF);
    expect(await get('/protocols/openai/v1/models', ANN)).toBe(403);
    expect(await get('/protocols/ai-sdk/chat', ANN, {})).toBe(403);
    expect(await get('/protocols/openai/v1/models', BOB)).toBe(200);
    expect(await readLast(server, String(runId))).toMatchObject(failed);
    expect(await server.storage.runs.get(String((await bobs.frame('ready')).data['runId']))).toMatchObject({
      status: 'running',
    });
    await turn(server, 'on', { kind: 'user', tenant: 'acme', userId: 'ann' });
    expect((await server.call('GET', '/threads', undefined, ANN)).status).toBe(200);
  });

  it('refuses all users of a tenant that is switched off, and no other tenant', async () => {
    const server = await start(options());
    await turn(server, 'off', { kind: 'tenant', tenant: 'acme' });
    for (const who of [ANN, BOB])
      expect(await server.call('GET', '/threads', undefined, who)).toMatchObject(SWITCHED_OFF);
    expect((await server.call('GET', '/threads', undefined, EVE)).status).toBe(200);
  });
});

describe('switch that two processes share', () => {
  const data = sharedData();
  const start = chatServers();
  const deaf = { open: async () => undefined, send: async () => undefined, close: async () => undefined };

  it.each([
    ['hints arrive', undefined],
    ['hints are lost', deaf],
  ])('applies a switch on the other instance when %s', async (_, hints) => {
    const schema = schemaName();
    const storage = (): Storage => new PostgresStorage({ url: data.url, schema, ...(hints && { hints }) });
    const one = await start({ ...options(), storage: storage() });
    const two = await start({ ...options(), storage: storage() });
    const stream = await two.ask({ message: 'x', agent: 'worker' }, ANN);
    const { runId } = (await stream.frame('ready')).data;
    const bobs = await two.startRun({ message: 'x', agent: 'worker' }, BOB);
    await turn(one, 'off', { kind: 'user', tenant: 'acme', userId: 'ann' });
    await until(() => stream.ended !== undefined, 'the stream at the other instance ends');
    expect(await two.call('GET', '/threads', undefined, ANN)).toMatchObject(SWITCHED_OFF);
    await one.app.get(SwitchService).off({ kind: 'agent', name: 'worker' });
    expect(await readEnd(two, bobs.runId, BOB)).toMatchObject(failed);
    expect(await readLast(one, String(runId))).toMatchObject(failed);
    await turn(two, 'on', { kind: 'user', tenant: 'acme', userId: 'ann' });
    await until(() => one.app.get(SwitchService).list.length === 1, 'the first instance has heard');
    expect((await one.call('GET', '/threads', undefined, ANN)).status).toBe(200);
  });

  it('keeps switches through a restart on SQLite, and fails runs that a stopped process left', async () => {
    const storage = () => new SqliteStorage({ directory: data.directory });
    const first = await start({ ...options(), storage: storage() });
    const { runId } = await first.startRun({ message: 'x', agent: 'worker' }, ANN);
    await first.app.get(SwitchService).off({ kind: 'tool', name: 'wait' });
    await first.close();
    const offline = storage();
    await offline.open();
    await offline.state.set('switch:agent:worker', { target: { kind: 'agent', name: 'worker' }, at: 1 });
    await offline.close();
    const second = await start({ ...options(), storage: storage() });
    expect(second.app.get(SwitchService).list).toHaveLength(2);
    expect(await readEnd(second, runId, ANN)).toMatchObject(failed);
  });
});
