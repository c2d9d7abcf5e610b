import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { ChatModule } from '../../src/chat/chat.module.js';
import type { ChatModuleOptions } from '../../src/chat/chat.options.js';
import { ChatService } from '../../src/client/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { gate, type Play } from '../support/chat.server.js';
import { nineWords } from '../support/plays.js';
import { until } from '../support/until.js';
import { FRAMEWORKS, hostServers, type HostServer } from './host.server.js';

const API_KEY = 'a-key-of-sixteen-and-more';
const KEYED: ChatModuleOptions['auth'] = {
  kind: 'credentials',
  apiKeys: [{ key: API_KEY, userId: 'ada', tenant: 'acme' }],
};
const WITH_KEY = { 'x-api-key': API_KEY };

describe.each(FRAMEWORKS)('ChatModule on %s', (framework) => {
  const start = hostServers();

  function serve(play: Play, options: Partial<ChatModuleOptions> = {}): Promise<HostServer> {
    const module = ChatModule.forRoot({
      storage: new MemoryStorage(),
      agents: () => [new ScriptedAgent(play)],
      auth: { kind: 'local' },
      drainMs: 0,
      ...options,
    });
    return start(module, { framework });
  }

  it('streams the text of a run, and resumes after any event without repeating a frame', async () => {
    const server = await serve(nineWords);
    const asked = await server.ask();
    expect(await asked.closed()).toBe('end');
    expect(asked.status).toBe(200);
    expect(asked.text).toBe('thequickbrownfoxjumpsoverthelazydog');
    const { location, 'content-type': type } = asked.response.headers;
    expect(type).toBe('text/event-stream');
    expect(location).toBe(`/api/chat/runs/${String(asked.frames[0]!.data['runId'])}/events`);

    const half = asked.events.slice(0, 6);
    const resumed = await server.stream(location!, { headers: { 'last-event-id': half.at(-1)!.id } });
    await resumed.closed();
    expect([...half, ...resumed.events]).toEqual(asked.events);

    const past = await server.call('GET', location!, { headers: { 'last-event-id': asked.lastId } });
    expect(past.status).toBe(204);
  });

  it('serves the published client: start, cancel and list threads', async () => {
    const server = await serve(async (_, { emit, messageId, attempt, signal }) => {
      for (const event of createAnswer({ messageId, attempt }, ['well']).slice(0, 3)) void emit(event);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const chat = new ChatService({ baseUrl: server.url('/api/chat') });
    const run = await chat.start('hello');
    const stream = await server.stream(`/api/chat/runs/${run.runId}/events`);
    await stream.frame('text-delta');
    await chat.cancel(run.runId);
    expect((await stream.frame('end')).data).toMatchObject({ outcome: 'cancelled' });
    const { items } = await chat.threads();
    expect(items).toMatchObject([{ id: run.threadId }]);
  });

  it('refuses a bad request as problem+json before any stream', async () => {
    const silent = gate();
    const server = await serve(() => silent.opened, { auth: KEYED });

    const stranger = await server.call('POST', '/api/chat', { body: { message: 'hello' } });
    expect(stranger).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED', status: 401 } });
    expect(stranger.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(stranger.headers.get('www-authenticate')).toMatch(/^Bearer/);

    const unknown = await server.call('GET', '/api/chat/runs/nothing/events', { headers: WITH_KEY });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });

    const invalid = await server.call('POST', '/api/chat', { body: { text: 'hello' }, headers: WITH_KEY });
    expect(invalid).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(invalid.body['errors']).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'message' })]),
    );

    const { body: first } = await server.call('POST', '/api/chat/runs', {
      body: { message: 'hello' },
      headers: WITH_KEY,
    });
    const busy = await server.call('POST', '/api/chat', {
      body: { message: 'again', threadId: first['threadId'] },
      headers: WITH_KEY,
    });
    expect(busy).toMatchObject({ status: 409, body: { code: 'THREAD_BUSY', runId: first['runId'] } });
    silent.open();
  });

  it('answers 429 with Retry-After when the budget for run starts or open streams is used up', async () => {
    const silent = gate();
    const server = await serve(() => silent.opened, {
      throttling: { startsPerMinute: 1, maxOpenStreams: 1 },
    });
    const stream = await server.ask();
    const { runId } = (await stream.frame('ready')).data;

    const second = await server.call('POST', '/api/chat', { body: { message: 'hello' } });
    expect(second).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);

    const reader = await server.call('GET', `/api/chat/runs/${String(runId)}/events`);
    expect(reader).toMatchObject({ status: 429, body: { code: 'TOO_MANY_STREAMS' } });
    expect(reader.headers.get('retry-after')).toBe('5');
    silent.open();
    await stream.closed();
  });

  it('signs a browser in with a cookie, and lets an EventSource in by ticket', async () => {
    const server = await serve(nineWords, { auth: KEYED });
    const signedIn = await server.call('POST', '/api/auth/session', { headers: WITH_KEY });
    expect(signedIn).toMatchObject({ status: 200, body: { principal: { userId: 'ada' } } });
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;

    const asked = await server.ask('/api/chat', { headers: { cookie } });
    await asked.closed();
    expect(asked.status).toBe(200);

    const { runId } = asked.frames[0]!.data;
    const ticket = await server.call('POST', `/api/chat/runs/${String(runId)}/ticket`, {
      headers: { cookie },
    });
    const watched = await server.stream(String(ticket.body['eventsUrl']));
    await watched.closed();
    expect(watched.events).toEqual(asked.events);
  });

  it('buffers at most one megabyte for a reader that stops reading, while others get the whole run', async () => {
    const server = await serve(async (_, { emit, signal, messageId, attempt }) => {
      const [begin, open] = createAnswer({ messageId, attempt }, []);
      void emit(begin!);
      void emit(open!);
      const partId = (open as { partId: string }).partId;
      while (!signal.aborted) await emit({ type: 'text-delta', partId, delta: 'x'.repeat(4096) });
    });
    const { body: run } = await server.call('POST', '/api/chat/runs', { body: { message: 'talk' } });
    const events = `/api/chat/runs/${String(run['runId'])}/events`;
    let slowResponse: ServerResponse | undefined;
    server.app
      .getHttpServer()
      .once('request', (_: unknown, response: ServerResponse) => (slowResponse = response));
    const slow = await server.stream(events, { paused: true });
    await until(() => slowResponse!.writableNeedDrain);
    const held = slowResponse!.writableLength;
    expect(held).toBeLessThanOrEqual(1024 * 1024);

    const quick = await server.stream(events);
    await quick.until(() => quick.raw.length > 8 * 1024 * 1024);
    expect(slowResponse!.writableLength).toBe(held);
    slow.leave();
    await server.call('POST', `/api/chat/runs/${String(run['runId'])}/cancel`);
    await quick.closed();
  });

  it('ends its open streams when the application closes', async () => {
    const server = await serve(
      (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    );
    const stream = await server.ask();
    await stream.frame('run-start');
    const closing = server.app.close();
    expect(await stream.closed()).toBe('end');
    await closing;
  });
});
