import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuthOptions } from '../src/auth/auth.options.js';
import { ScriptedAgent } from '../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServer, type Play } from './support/chat.server.js';
import { EventStream } from './support/event-stream.js';
import { nineWords } from './support/plays.js';

const ANN = { 'x-api-key': 'ann-0123456789abcdef' };
const BOB = { 'x-api-key': 'bob-0123456789abcdef' };
/** Of Ann's name, in another company. */
const ANNA = { 'x-api-key': 'anna-0123456789abcdef' };
const AUTH: AuthOptions = {
  kind: 'credentials',
  apiKeys: [
    { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme', roles: ['staff'] },
    { key: BOB['x-api-key'], userId: 'bob', tenant: 'acme' },
    { key: ANNA['x-api-key'], userId: 'ann', tenant: 'other' },
  ],
};

/** Hears nothing: it goes on until the test lets it. */
function deaf(): { readonly play: Play; readonly open: () => void } {
  const { opened, open } = gate();
  return {
    open,
    play: async (_, { emit }) => {
      await emit({ type: 'custom', name: 'begun', data: null });
      await opened;
    },
  };
}

describe('native API', () => {
  const start = chatServers();

  it('sends headers that keep caches from storing its replies or transforming its streams', async () => {
    const server = await start({ play: nineWords });
    const { runId, threadId } = await server.startRun();
    for (const path of ['/threads', `/threads/${threadId}`, `/runs/${runId}`, '/agents'])
      expect((await server.call('GET', path)).headers.get('cache-control')).toBe('no-store');
    const stream = await server.watch(runId);
    expect(stream.response.headers['cache-control']).toContain('no-transform');
  });

  it('starts a run that a reader watches later, and returns its record', async () => {
    const server = await start({ play: nineWords });
    const { status, body } = await server.call('POST', '/runs', { message: 'hello', metadata: { team: 1 } });
    expect(status).toBe(202);
    const { runId, threadId } = body;
    expect(body).toEqual({ runId, threadId, eventsUrl: `/api/chat/runs/${String(runId)}/events` });
    const stream = await EventStream.open(new URL(String(body['eventsUrl']), server.url).href);
    await stream.closed();
    expect(stream.text).toBe('thequickbrownfoxjumpsoverthelazydog');

    const run = await server.call('GET', `/runs/${String(runId)}`);
    expect(run.body).toEqual({
      id: runId,
      threadId,
      agent: 'scripted',
      status: 'completed',
      message: 'hello',
      metadata: { team: 1 },
      messageId: stream.events[0]?.data['messageId'],
      cancelRequested: false,
      lastSeq: stream.events.length,
      createdAt: expect.any(Number),
      startedAt: expect.any(Number),
      endedAt: expect.any(Number),
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    });
  });

  it('cancels a run whose agent ignores the signal, and keeps the events it has emitted', async () => {
    const agent = deaf();
    const server = await start({ play: agent.play });
    const stream = await server.ask();
    await stream.frame('custom');
    const { runId } = stream.frames[0]!.data;
    const { status, body } = await server.call('POST', `/runs/${String(runId)}/cancel`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ id: runId, status: 'running', cancelRequested: true });
    const end = await stream.frame('end');
    expect(end.data).toMatchObject({ outcome: 'cancelled' });
    expect(stream.events.map(({ event }) => event)).toEqual(['run-start', 'custom', 'end']);
    await stream.closed();

    const again = await server.call('POST', `/runs/${String(runId)}/cancel`);
    expect(again).toMatchObject({ status: 202, body: { status: 'cancelled', cancelRequested: false } });
    agent.open();
  });

  it('lets an EventSource read one run by ticket, and refuses the ticket for anything else', async () => {
    const server = await start({ play: nineWords, auth: AUTH });
    const { runId } = await server.startRun({ message: 'hello' }, ANN);
    const { runId: other } = await server.startRun({ message: 'hello' }, ANN);
    const { status, body } = await server.call('POST', `/runs/${runId}/ticket`, undefined, ANN);
    expect(status).toBe(200);
    expect(body).toEqual({
      ticket: expect.any(String),
      expiresAt: expect.any(Number),
      eventsUrl: `/api/chat/runs/${runId}/events?ticket=${String(body['ticket'])}`,
    });
    const url = new URL(String(body['eventsUrl']), server.url).href;
    for (const _visit of ['the first', 'its reconnect']) {
      const stream = await EventStream.open(url);
      expect(stream.status).toBe(200);
      await stream.closed();
      expect(stream.events.at(-1)?.event).toBe('end');
    }
    const elsewhere = await server.call('GET', `/runs/${other}/events?ticket=${String(body['ticket'])}`);
    expect(elsewhere.status).toBe(401);
    const beyond = await server.call('GET', `/runs/${runId}?ticket=${String(body['ticket'])}`);
    expect(beyond.status).toBe(401);
    expect(beyond.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('lists threads page by page, the latest change first', async () => {
    const server = await start({ play: nineWords });
    const threads: string[] = [];
    for (let index = 0; index < 5; index++) {
      const stream = await server.finishedRun({ message: `Question ${index}\nand more` });
      threads.unshift(String(stream.frames[0]!.data['threadId']));
    }
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { status, body } = await server.call('GET', `/threads?limit=2${cursor}`);
      expect(status).toBe(200);
      seen.push(...(body['items'] as object[]));
      cursor =
        typeof body['nextCursor'] === 'string' ? `&cursor=${encodeURIComponent(body['nextCursor'])}` : '';
    } while (cursor);
    expect(seen).toMatchObject(threads.map((id, index) => ({ id, title: `Question ${4 - index}` })));
  });

  it('returns the messages of a thread page by page, the newest page first', async () => {
    const server = await start({ play: nineWords });
    const { frames } = await server.finishedRun({ message: 'one' });
    const threadId = String(frames[0]!.data['threadId']);
    for (const message of ['two', 'three']) await server.finishedRun({ message, threadId });

    const newest = await server.call('GET', `/threads/${threadId}?limit=2`);
    expect(newest.body).toMatchObject({
      thread: { id: threadId, title: 'one' },
      messages: [
        { role: 'user', text: 'two' },
        { role: 'assistant', text: 'thequickbrownfoxjumpsoverthelazydog', view: { status: 'completed' } },
        { role: 'user', text: 'three' },
        { role: 'assistant' },
      ],
    });
    const cursor = encodeURIComponent(String(newest.body['nextCursor']));
    const oldest = await server.call('GET', `/threads/${threadId}?limit=2&cursor=${cursor}`);
    expect(oldest.body['messages']).toMatchObject([{ text: 'one' }, { role: 'assistant' }]);
    expect(oldest.body).not.toHaveProperty('nextCursor');
  });

  it('deletes a thread for good, and cancels its running run', async () => {
    const agent = deaf();
    const server = await start({ play: agent.play });
    const stream = await server.ask();
    await stream.frame('custom');
    const { runId, threadId } = stream.frames[0]!.data;
    const { status, body } = await server.call('DELETE', `/threads/${String(threadId)}`);
    expect([status, body]).toEqual([204, undefined]);
    await stream.closed();
    expect(stream.events.at(-1)?.data).toMatchObject({ outcome: 'cancelled' });
    for (const path of [
      `/threads/${String(threadId)}`,
      `/runs/${String(runId)}`,
      `/runs/${String(runId)}/events`,
    ])
      expect((await server.call('GET', path)).status).toBe(404);
    expect((await server.call('DELETE', `/threads/${String(threadId)}`)).status).toBe(404);
    agent.open();
  });

  it('refuses a second message in a busy thread, and names the run in progress', async () => {
    const agent = deaf();
    const server = await start({ play: agent.play });
    const { runId, threadId } = await server.startRun();
    const { status, body } = await server.call('POST', '', { message: 'and?', threadId });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'THREAD_BUSY', runId });
    agent.open();
  });

  it('queues a second message in a busy thread when whenBusy is set to queue', async () => {
    const agent = deaf();
    const server = await start({ play: agent.play, whenBusy: 'queue' });
    const { threadId } = await server.startRun();
    const second = await server.ask({ message: 'and?', threadId });
    expect((await second.frame('ready')).data).toMatchObject({ status: 'pending', threadId });
    agent.open();
    await second.closed();
    expect(second.events.at(-1)?.data).toMatchObject({ outcome: 'completed' });
  });

  it('offers each principal the agents that their roles allow', async () => {
    class StaffAgent extends ScriptedAgent {
      override readonly roles = ['staff'];
    }
    const server = await start({
      auth: AUTH,
      agents: () => [new StaffAgent(nineWords, { name: 'staff-only' }), new ScriptedAgent(nineWords)],
    });
    const description = 'Does what a test says.';
    expect((await server.call('GET', '/agents', undefined, ANN)).body).toEqual({
      items: [
        { name: 'staff-only', description },
        { name: 'scripted', description },
      ],
      default: 'staff-only',
    });
    expect((await server.call('GET', '/agents', undefined, BOB)).body).toEqual({
      items: [{ name: 'scripted', description }],
      default: 'scripted',
    });
    const refused = await server.call('POST', '/runs', { message: 'hi', agent: 'staff-only' }, BOB);
    const unknown = await server.call('POST', '/runs', { message: 'hi', agent: 'staff-onlx' }, BOB);
    expect(refused).toMatchObject({ status: 400, body: { code: 'AGENT_UNKNOWN' } });
    expect(unknown.body['detail']).toBe(String(refused.body['detail']).replace('staff-only', 'staff-onlx'));
    expect((await server.startRun({ message: 'hi' }, BOB)).runId).toBeTruthy();
  });
});

describe('resources of another principal', () => {
  const start = chatServers();
  let server: ChatServer;
  let runId: string;
  let threadId: string;
  let lastId: string;

  beforeEach(async () => {
    server = await start({ play: nineWords, auth: AUTH });
    const stream = await server.ask({ message: 'hello' }, ANN);
    await stream.closed();
    ({ runId, threadId } = stream.frames[0]!.data as unknown as { runId: string; threadId: string });
    ({ lastId } = stream);
  });

  const UNKNOWN = 'zzzzzzzzzzzzzzzzzzzz';
  const ROUTES: readonly (readonly [string, string])[] = [
    ['GET', '/runs/RUN'],
    ['GET', '/runs/RUN/events'],
    ['POST', '/runs/RUN/cancel'],
    ['POST', '/runs/RUN/ticket'],
    ['GET', '/threads/THREAD'],
    ['DELETE', '/threads/THREAD'],
  ];

  it.each(ROUTES)('answers another principal exactly as for an unknown id: %s %s', async (method, route) => {
    const ask = (run: string, thread: string, headers: Record<string, string>) =>
      server.call(method, route.replace('RUN', run).replace('THREAD', thread), undefined, headers);
    for (const stranger of [BOB, ANNA]) {
      const foreign = await ask(runId, threadId, stranger);
      const unknown = await ask(UNKNOWN, UNKNOWN, stranger);
      expect(foreign.status).toBe(404);
      expect(unknown.status).toBe(404);
      expect(anonymous(foreign.body)).toEqual(anonymous(unknown.body));
      expect([...foreign.headers.keys()]).toEqual([...unknown.headers.keys()]);
    }
    const own = await fetch(`${server.url}${route.replace('RUN', runId).replace('THREAD', threadId)}`, {
      method,
      headers: ANN,
    });
    expect(own.status).toBeLessThan(300);
    await own.text();
  });

  it.each(['', '/runs'])(
    "refuses a message to another's thread or after another's event as for an unknown id: POST %s",
    async (path) => {
      const ask = (body: object, headers = {}) => server.call('POST', path, body, { ...BOB, ...headers });
      const inThread = [
        await ask({ message: 'hi', threadId }),
        await ask({ message: 'hi', threadId: UNKNOWN }),
      ];
      const afterEvent = [
        await ask({ message: 'hi' }, { 'last-event-id': lastId }),
        await ask({ message: 'hi' }, { 'last-event-id': `${UNKNOWN}.1.2` }),
      ];
      for (const [foreign, unknown] of [inThread, afterEvent]) {
        expect([foreign!.status, unknown!.status]).toEqual([404, 404]);
        expect(anonymous(foreign!.body)).toEqual(anonymous(unknown!.body));
      }
    },
  );

  it('lists the threads of the caller only', async () => {
    expect((await server.call('GET', '/threads', undefined, BOB)).body['items']).toEqual([]);
    expect((await server.call('GET', '/threads', undefined, ANN)).body['items']).toHaveLength(1);
  });

  it('keeps the same Idempotency-Key of two principals apart', async () => {
    const key = { 'idempotency-key': 'same' };
    const ann = await server.startRun({ message: 'hello' }, { ...ANN, ...key });
    const bob = await server.startRun({ message: 'hello' }, { ...BOB, ...key });
    expect(bob.runId).not.toBe(ann.runId);
  });

  it.each(ROUTES)('answers 401 to a request without credentials: %s %s', async (method, route) => {
    const path = route.replace('RUN', runId).replace('THREAD', threadId);
    const { status, headers, body } = await server.call(method, path);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Bearer');
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  /** A problem without the id that was asked for. */
  function anonymous(body: Record<string, unknown>): unknown {
    const text = JSON.stringify(body);
    return JSON.parse(text.replaceAll(runId, 'ID').replaceAll(threadId, 'ID').replaceAll(UNKNOWN, 'ID'));
  }
});
