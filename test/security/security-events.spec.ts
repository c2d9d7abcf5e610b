import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, AppError, ChatModule, Sessions, type SecurityEvent } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { FRAMEWORKS, hostServers } from '../embedding/host.server.js';
import { appServers, type AppServer } from '../support/app.server.js';

const KEY = 'key-of-ann-0123456789';
const OTHER_KEY = 'key-of-bob-0123456789';
const SECRET = 'the secret that the issuer signs with';
const ENV = {
  AUTH_API_KEYS: `${KEY}:ann@acme,${OTHER_KEY}:bob@acme`,
  AUTH_JWT_SECRET: SECRET,
  AUTH_ISSUER: 'i',
  AUTH_AUDIENCE: 'a',
  TRUST_PROXY: 'loopback',
};
const SESSION = '/api/auth/session';
const ADDRESS = '203.0.113.7';
const FROM = { 'x-forwarded-for': ADDRESS };
const who = { userId: 'ann', tenant: 'acme', address: ADDRESS };

function readLines({ log }: AppServer): Record<string, unknown>[] {
  return log.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function readEvents(server: AppServer) {
  return readLines(server).filter((line) => line['securityEvent'] !== undefined);
}

function client({ origin }: AppServer) {
  return async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
    const response = await fetch(origin + path, {
      method,
      headers: { ...FROM, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

describe('security events of the standalone app', () => {
  const start = appServers();

  it('records who signed in and out, how, and from which address', async () => {
    const server = await start(ENV);
    const ask = client(server);
    const signIn = await ask('POST', SESSION, { 'x-api-key': KEY });
    const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await ask('DELETE', SESSION, { cookie });
    await ask('DELETE', SESSION, { cookie });
    await ask('DELETE', `${SESSION}/all`, { 'x-api-key': KEY });
    expect(readEvents(server)).toEqual([
      expect.objectContaining({ level: 'info', securityEvent: 'sign-in', ...who, reason: 'by api-key' }),
      expect.objectContaining({ level: 'info', securityEvent: 'sign-out', ...who }),
      expect.objectContaining({
        level: 'info',
        securityEvent: 'sessions-ended',
        ...who,
        reason: 'by the user',
        subject: 'ann@acme',
      }),
    ]);
  });

  it('records why credentials were refused and from which address, and never the credentials', async () => {
    const server = await start(ENV);
    const ask = client(server);
    const token = (claims: object, secret = SECRET) =>
      new SignJWT({ sub: 'ann', iss: 'i', aud: 'a', exp: 4_000_000_000, ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(Buffer.from(secret));
    const bearer = async (claims: object, secret?: string) => ({
      authorization: `Bearer ${await token(claims, secret)}`,
    });
    const signIn = await ask('POST', SESSION, { 'x-api-key': KEY });
    const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await ask('DELETE', SESSION, { cookie });

    const cases: [Record<string, string>, string | undefined, string][] = [
      [{}, undefined, 'absent'],
      [{ 'x-api-key': 'hunter2-hunter2-hunter2' }, 'api-key', 'unknown'],
      [await bearer({ exp: 1 }), 'token', 'expired'],
      [await bearer({ aud: 'another' }), 'token', 'claims'],
      [await bearer({}, 'hunter2'.repeat(5)), 'token', 'bad-signature'],
      [{ cookie }, 'session', 'ended'],
    ];
    for (const path of ['/api/chat/threads', '/protocols/openai/v1/models'])
      for (const [headers, subject, reason] of cases) {
        server.log.length = 0;
        expect(await ask('GET', path, headers)).toMatchObject({ status: 401 });
        const [event, ...rest] = readEvents(server);
        expect(rest).toEqual([]);
        expect(event).toMatchObject({ securityEvent: 'credentials-refused', address: ADDRESS, reason });
        expect(event?.['subject']).toBe(subject);
        // A token begins with its algorithm; three letters may be part of an id.
        expect(server.log.join('')).not.toMatch(/hunter2|eyJhbGci/);
      }
  });

  it('records refusals, limits and deletions once each', async () => {
    const server = await start({ ...ENV, STARTS_PER_MINUTE: '1', MAX_MESSAGE_BYTES: '1024' });
    const ask = client(server);
    const key = { 'x-api-key': KEY };
    const started = await ask('POST', '/api/chat/runs', key, { message: 'hello' });
    const { threadId } = JSON.parse(started.text) as { threadId: string };
    await ask('POST', '/api/chat/runs', key, { message: 'hello' });
    await ask(
      'POST',
      '/protocols/openai/v1/responses',
      { authorization: `Bearer ${KEY}` },
      { input: 'hello' },
    );
    await ask('POST', SESSION, { ...key, origin: 'https://evil.example' });
    await ask('POST', `${SESSION}/end`, key, { everybody: true });
    for (let status = 409; status === 409;)
      ({ status } = await ask('DELETE', `/api/chat/threads/${threadId}`, key));
    const limit = { securityEvent: 'limit-reached', ...who, reason: 'RATE_LIMITED' };
    expect(readEvents(server)).toEqual([
      expect.objectContaining({ ...limit, subject: 'POST /api/chat/runs' }),
      expect.objectContaining({ ...limit, subject: 'POST /protocols/openai/v1/responses' }),
      expect.objectContaining({
        securityEvent: 'origin-refused',
        address: ADDRESS,
        subject: `POST ${SESSION}`,
      }),
      expect.objectContaining({ securityEvent: 'access-refused', ...who, subject: `POST ${SESSION}/end` }),
      expect.objectContaining({ securityEvent: 'deletion', ...who, threadId }),
    ]);
  });

  it('records at most twenty refusals in a burst, and logs every request', async () => {
    const server = await start(ENV);
    const ask = client(server);
    for (let index = 0; index < 100; index += 1) await ask('GET', `/protocols/ai-sdk/chat/${index}/stream`);
    expect(readEvents(server)).toHaveLength(20);
    const requests = readLines(server).filter(({ path }) => String(path).startsWith('/protocols/'));
    expect(requests).toHaveLength(100);
    expect(requests[0]).toMatchObject({ level: 'info', status: 401, address: ADDRESS });
    await ask('GET', '/api/chat/threads', { 'x-api-key': KEY });
    expect(readLines(server).at(-1)).toMatchObject({
      level: 'info',
      path: '/api/chat/threads',
      status: 200,
      ...who,
    });
  });

  it('records that wrong credentials are slowed down, while valid ones from the address are served', async () => {
    const server = await start(ENV);
    const ask = client(server);
    await ask('GET', '/api/chat/threads', { 'x-api-key': OTHER_KEY });
    for (let index = 0; index < 6; index += 1)
      await ask('POST', SESSION, {}, { token: `a-wrong-one-of-some-length-${index}` });
    const slowed = () =>
      readEvents(server).filter((event) => event['securityEvent'] === 'credentials-slowed');
    expect(slowed()).toEqual([expect.objectContaining({ address: ADDRESS, reason: 'waited 250 ms' })]);
    expect(await ask('GET', '/api/chat/threads', { 'x-api-key': OTHER_KEY })).toMatchObject({ status: 200 });
    expect(slowed()).toHaveLength(1);
    // Many at once: most are refused without being looked at.
    const many = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        ask('GET', '/protocols/openai/v1/models', { authorization: `Bearer another-wrong-one-${index}` }),
      ),
    );
    const refused = many.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
  });
});

@Injectable()
class Payments {
  @AgentTool({
    name: 'pay',
    label: 'Paying…',
    description: 'Pays.',
    input: z.object({ amount: z.number() }),
    approval: true,
  })
  pay({ amount }: { amount: number }): string {
    return `paid ${amount}`;
  }

  @AgentTool({
    name: 'audit',
    label: 'Auditing…',
    description: 'Audits.',
    input: z.object({}),
    roles: ['auditor'],
  })
  audit(): string {
    return 'audited';
  }
}

const a2aMessage = (text: string) => ({
  message: { kind: 'message', messageId: 'm1', role: 'user', parts: [{ kind: 'text', text }] },
});
const langGraphInput = (content: string) => ({ messages: [{ type: 'human', content }] });

describe.each(FRAMEWORKS)('security events of an embedded module on %s', (framework) => {
  const start = hostServers();

  it("passes security events to the host's hook, with the address that its proxy settings give", async () => {
    const events: SecurityEvent[] = [];
    const model = new ScriptedModel((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: ['audit', 'pay'].map((name) => ({ id: name, name, args: '{"amount":1}' })) },
    );
    const module = ChatModule.forRoot({
      protocols: {},
      storage: new MemoryStorage(),
      auth: {
        kind: 'host',
        getPrincipal: ({ headers }) =>
          headers['x-user'] ? { userId: String(headers['x-user']), tenant: 'acme', roles: [] } : undefined,
      },
      agents: (kit) => [
        createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model }),
        createChatAgent({ ...kit, name: 'board', description: 'Secret.', model, roles: ['director'] }),
      ],
      tools: [Payments],
      hooks: {
        beforeRun: ({ message }) => {
          if (message === 'suspended') throw new AppError('FORBIDDEN', 'This account is suspended.');
        },
        onSecurityEvent: (event) => {
          events.push(event);
          throw new Error('The collection is away.');
        },
      },
      drainMs: 0,
    });
    const host = await start(module, { framework });
    const ann = { 'x-user': 'ann' };
    const stream = await host.ask('/api/chat', { headers: ann });
    await stream.closed();
    const ready = (await stream.frame('ready')).data;
    const { runId, threadId } = ready as unknown as { runId: string; threadId: string };
    const inputId = String((await stream.frame('input-request')).data['inputId']);
    await host.call('POST', `/api/chat/runs/${runId}/inputs/${inputId}`, {
      body: { decision: 'deny', reason: 'Too much.' },
      headers: ann,
    });
    await host.call('POST', '/api/chat/runs', { body: { message: 'x', agent: 'board' }, headers: ann });
    await host.call('POST', '/api/chat/runs', { body: { message: 'x', agent: 'absent' }, headers: ann });
    await host.call('POST', '/protocols/a2a', {
      body: { jsonrpc: '2.0', id: 1, method: 'message/send', params: a2aMessage('suspended') },
      headers: ann,
    });
    await host.call('POST', '/protocols/langgraph/threads/4b9f3cd6-93ff-4b6c-8a39-0f8c9f8ff2c6/commands', {
      body: { id: 1, method: 'run.start', params: { assistant_id: 'board', input: langGraphInput('hi') } },
      headers: ann,
    });
    await host.call('GET', '/api/chat/threads');
    await host.app.get(Sessions).endAll({ userId: 'ann', tenant: 'acme' });

    const principal = expect.objectContaining({ userId: 'ann', tenant: 'acme' });
    const address = '127.0.0.1';
    expect(events).toEqual([
      expect.objectContaining({
        type: 'tool-refused',
        principal,
        subject: 'audit',
        reason: 'role',
        runId,
        threadId,
      }),
      { type: 'decision', principal, address, subject: 'pay', reason: 'deny', runId, threadId, inputId },
      { type: 'access-refused', principal, address, reason: 'FORBIDDEN', subject: 'POST /api/chat/runs' },
      { type: 'access-refused', principal, address, reason: 'FORBIDDEN', subject: 'A2A message/send' },
      { type: 'access-refused', principal, address, reason: 'FORBIDDEN', subject: 'LangGraph run.start' },
      { type: 'credentials-refused', address, reason: 'absent' },
      { type: 'sessions-ended', reason: 'by the host', subject: 'ann@acme' },
    ]);
    expect(JSON.stringify(events)).not.toContain('Too much');
  });
});
