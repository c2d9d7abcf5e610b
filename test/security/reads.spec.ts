import { request } from 'node:http';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.js';
import { recorded } from '../../src/testing/storage/storage-samples.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';
import { postJson } from '../support/post-json.js';

Logger.overrideLogger(false);

const KEYS = [
  { key: 'mallory-0123456789', userId: 'mallory', tenant: 'acme', roles: [] },
  { key: 'alice-0123456789', userId: 'alice', tenant: 'acme', roles: [] },
];
const MALLORY = { 'x-api-key': 'mallory-0123456789' };
const ALICE = { 'x-api-key': 'alice-0123456789' };

const MIB = 1024 * 1024;
/** Maximum bytes of a page without a larger question or answer. */
const MOST_PAGE_BYTES = 4 * MIB;

const start = chatServers();
const storages = testStorages();

describe.each(SHARED_KINDS)('reads on %s', (kind) => {
  async function startServer(): Promise<{ server: ChatServer; storage: Storage }> {
    const storage = await storages.make(kind);
    const server = await start({
      storage,
      auth: { kind: 'credentials', apiKeys: KEYS },
      protocols: {},
      play: async (_input, context) => {
        for (const event of createAnswer(context, ['Hello ', 'there.'])) await context.emit(event);
      },
    });
    return { server, storage };
  }

  it('returns a long thread in pages of bounded size that together contain every message once', async () => {
    const { server, storage } = await startServer();
    await fill(storage, { threadId: 'large', questions: 30, questionBytes: 250_000, answerBytes: 40_000 });
    const seen: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined = ''; cursor !== undefined; pages += 1) {
      const query = cursor === '' ? '' : `&cursor=${cursor}`;
      const { status, body } = await server.call(
        'GET',
        `/threads/large?limit=100${query}`,
        undefined,
        MALLORY,
      );
      expect(status).toBe(200);
      expect(JSON.stringify(body).length).toBeLessThan(MOST_PAGE_BYTES);
      const messages = body['messages'] as { id: string; role: string; text: string }[];
      seen.unshift(...messages.map(({ id }) => id));
      for (const { role, text } of messages) expect(text.length).toBe(role === 'user' ? 250_000 : 40_000);
      cursor = body['nextCursor'] as string | undefined;
    }
    expect(pages).toBeGreaterThan(5);
    expect(seen).toEqual(
      Array.from({ length: 30 }, (_, index) => [`m-large-${index}-user`, `m-large-${index}`]).flat(),
    );
  });

  it('returns a bounded number of bytes with the newest messages on every protocol', async () => {
    const { server, storage } = await startServer();
    await fill(storage, { threadId: 'large', questions: 40, questionBytes: 250_000, answerBytes: 1_000 });
    const read = async (path: string, body?: unknown) => {
      const response = await fetch(`${server.origin}/protocols${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { ...MALLORY, 'content-type': 'application/json', 'a2a-version': '1.0' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect([path, response.status]).toEqual([path, 200]);
      const text = await response.text();
      expect(text.length).toBeLessThan(2 * MOST_PAGE_BYTES);
      expect(text).toContain('question 39 of large');
      return text;
    };
    await read('/ai-sdk/chat/large/messages');
    await read('/langgraph/threads/large');
    await read('/langgraph/threads/large/state');
    await read('/ag-ui/connect', {
      threadId: 'large',
      runId: 'r',
      messages: [],
      tools: [],
      context: [],
      state: {},
      forwardedProps: {},
    });
    const params = { contextId: 'large', pageSize: 100 };
    const listed = await read('/a2a', { jsonrpc: '2.0', id: 1, method: 'ListTasks', params });
    expect(JSON.parse(listed)).toMatchObject({ result: { nextPageToken: expect.stringMatching(/./) } });

    // Page by page to the first, each state with what was said before it.
    const states: string[] = [];
    for (let before: string | undefined; ;) {
      const asked = { limit: 100, ...(before && { before: { checkpoint_id: before } }) };
      const response = await postJson(
        `${server.origin}/protocols/langgraph/threads/large/history`,
        asked,
        MALLORY,
      );
      const text = await response.text();
      expect(text.length).toBeLessThan(2 * MOST_PAGE_BYTES);
      const page = JSON.parse(text) as {
        checkpoint: { checkpoint_id: string };
        values: { messages: unknown[] };
      }[];
      if (page.length === 0) break;
      // Its question, or its question and answer.
      for (const { checkpoint, values } of page)
        expect(values.messages.length).toBeGreaterThan(
          checkpoint.checkpoint_id.endsWith('-question') ? 0 : 1,
        );
      states.push(...page.map(({ checkpoint }) => checkpoint.checkpoint_id));
      before = states.at(-1);
    }
    const runs = Array.from({ length: 40 }, (_, index) => `large-${39 - index}`);
    expect(states).toEqual(runs.flatMap((run) => [run, `${run}-question`]));
  });

  it('queues and then refuses the reads of one caller, while another caller is served', async () => {
    const { server, storage } = await startServer();
    await fill(storage, { threadId: 'large', questions: 30, questionBytes: 250_000, answerBytes: 1_000 });
    const reads = Array.from({ length: 60 }, () =>
      server.call('GET', '/threads/large?limit=100', undefined, MALLORY),
    );
    const { text } = await finished(server);
    expect(text).toBe('Hello there.');
    const mine = await server.call('GET', '/threads', undefined, ALICE);
    expect(mine.status).toBe(200);
    const answers = await Promise.all(reads);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(32);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, body, headers } of refused) {
      expect([status, body['code'], headers.get('retry-after')]).toEqual([429, 'RATE_LIMITED', '1']);
    }
    const after = await server.call('GET', '/threads/large', undefined, MALLORY);
    expect(after.status).toBe(200);
  });

  it('counts a reply that its client does not read against that client only', async () => {
    const { server, storage } = await startServer();
    // More than the network between the two takes off the server's hands.
    await fill(storage, { threadId: 'large', questions: 1, questionBytes: 20, answerBytes: 12 * MIB });
    const deaf = Array.from({ length: 40 }, () => stalledGet(server, '/threads/large?limit=100'));
    await Promise.all(deaf.slice(0, 2).map(({ answered }) => answered));
    expect((await finished(server)).text).toBe('Hello there.');
    expect((await server.call('GET', '/threads', undefined, ALICE)).status).toBe(200);
    expect((await server.call('GET', '/threads', undefined, MALLORY)).status).toBe(429);
    for (const { leave } of deaf) leave();
    const again = async () => (await server.call('GET', '/threads', undefined, MALLORY)).status;
    let status = await again();
    while (status === 429) status = await again();
    expect(status).toBe(200);
  });

  it('sends the whole of a long run to each of twenty concurrent streams', async () => {
    const { server, storage } = await startServer();
    await fill(storage, { threadId: 'long', questions: 1, questionBytes: 20, answerBytes: 3 * MIB });
    const whole = Array.from({ length: 20 }, async () => {
      const stream = await server.watch('long-0', undefined, { headers: MALLORY });
      await stream.closed();
      return [stream.text.length, stream.events.at(-1)?.event];
    });
    expect(await Promise.all(whole)).toEqual(whole.map(() => [3 * MIB, 'end']));
    const replays = Array.from({ length: 12 }, async () => {
      const response = await fetch(`${server.origin}/protocols/ai-sdk/chat/long/stream?after=`, {
        headers: MALLORY,
      });
      const text = await response.text();
      return [response.status, text.length > 3 * MIB, text.includes('[DONE]')];
    });
    expect(await Promise.all(replays)).toEqual(replays.map(() => [200, true, true]));
  });
});

/** Asks a short question as the other caller, and waits for its answer. */
async function finished(server: ChatServer): Promise<{ readonly text: string }> {
  const stream = await server.ask({ message: 'Hi' }, ALICE);
  await stream.closed();
  expect(stream.events.at(-1)?.event).toBe('end');
  return stream;
}

/** Asks, and reads nothing but the head of the answer. */
function stalledGet(server: ChatServer, path: string) {
  const answered = Promise.withResolvers<number | undefined>();
  const call = request(`${server.url}${path}`, { headers: MALLORY, agent: false }, (response) => {
    response.pause();
    response.on('error', () => undefined);
    answered.resolve(response.statusCode);
  });
  call.on('error', () => answered.resolve(undefined));
  call.end();
  return { answered: answered.promise, leave: () => call.destroy() };
}

/** Fills the caller's history with questions and answers, by way of the storage, which is faster. */
async function fill(
  storage: Storage,
  asked: {
    readonly threadId: string;
    readonly questions: number;
    readonly questionBytes: number;
    readonly answerBytes: number;
  },
): Promise<void> {
  const { threadId, questions, questionBytes, answerBytes } = asked;
  for (let index = 0; index < questions; index += 1) {
    const id = `${threadId}-${index}`;
    const messageId = `m-${id}`;
    const created = await storage.runs.create({
      id,
      threadId,
      thread: 'any',
      agent: 'scripted',
      principal: { userId: 'mallory', tenant: 'acme', roles: [] },
      message: `question ${index} of ${threadId} `.padEnd(questionBytes, 'x'),
      metadata: {},
      messageId,
      whenBusy: 'reject',
      whenAwaiting: 'deny',
      owner: { ownerId: 'filling', leaseMs: 60_000 },
    });
    if (created.outcome !== 'created') throw new Error(`There is no run ${id}: ${created.outcome}.`);
    const { run } = created;
    const words = Array.from({ length: Math.ceil(answerBytes / 4_096) }, (_, place) =>
      'y'.repeat(Math.min(4_096, answerBytes - place * 4_096)),
    );
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
    const events = [
      { type: 'run-start', agent: 'scripted', messageId } as const,
      ...createAnswer({ messageId, attempt: 1 }, words),
      { type: 'end', outcome: 'completed', usage, durationMs: 1 } as const,
    ].map((event, place) => recorded(run, place + 1, event));
    const ending = { outcome: 'completed', usage } as const;
    for (let from = 0; from < events.length; from += 30) {
      const batch = { runId: id, epoch: run.epoch, afterSeq: from, events: events.slice(from, from + 30) };
      await storage.log.append([from + 30 < events.length ? batch : { ...batch, ending }]);
    }
  }
}
