import { describe, expect, it } from '@jest/globals';
import { createAnswer } from '../src/testing/scripted.agent.js';
import { chatServers } from './support/chat.server.js';
import { sayOneByOne } from './support/plays.js';

interface Found {
  readonly id: string;
  readonly match?: {
    readonly in: string;
    readonly runId?: string;
    readonly text: string;
    readonly marks: readonly { readonly start: number; readonly end: number }[];
  };
}

describe('a search of threads', () => {
  const serve = chatServers();

  const start = () =>
    serve({
      play: ({ message }, context) =>
        sayOneByOne(context, createAnswer(context, ['The ', 'answer ', `to ${message}`, ' is 42.'])),
    });
  const ask = async (server: Awaited<ReturnType<typeof start>>, message: string) => {
    const stream = await server.ask({ message });
    const { data } = await stream.frame('ready');
    await stream.closed();
    return { threadId: String(data['threadId']), runId: String(data['runId']) };
  };
  const search = async (server: Awaited<ReturnType<typeof start>>, words: string) => {
    const { status, body } = await server.call('GET', `/threads?search=${encodeURIComponent(words)}`);
    return { status, items: (body['items'] ?? []) as readonly Found[] };
  };

  it('finds them by words of a question and its answer, and shows where', async () => {
    const server = await start();
    const { threadId, runId } = await ask(server, 'Life, the Universe');
    await ask(server, 'something else');
    const { items } = await search(server, 'UNIVERSE ans');
    expect(items).toEqual([
      expect.objectContaining({
        id: threadId,
        title: 'Life, the Universe',
        match: {
          in: 'answer',
          runId,
          text: 'The answer to Life, the Universe is 42.',
          marks: [
            { start: 4, end: 10 },
            { start: 24, end: 32 },
          ],
        },
      }),
    ]);
    const { body } = await server.call('GET', '/threads');
    for (const item of body['items'] as readonly Found[]) expect('match' in item).toBe(false);
    expect((await search(server, '')).items).toHaveLength(2);
  });

  it('has at most 20 threads on a page, however many are asked for', async () => {
    const server = await start();
    for (let index = 0; index < 21; index += 1) await ask(server, `zebra ${index}`);
    const { body } = await server.call('GET', '/threads?search=zebra&limit=100');
    expect(body['items']).toHaveLength(20);
    const rest = await server.call(
      'GET',
      `/threads?search=zebra&limit=100&cursor=${String(body['nextCursor'])}`,
    );
    expect(rest.body['items']).toMatchObject([{ title: 'zebra 0' }]);
    expect('nextCursor' in rest.body).toBe(false);
    expect((await server.call('GET', '/threads?limit=100')).body['items']).toHaveLength(21);
  });

  it('answers whatever is asked for, without an error', async () => {
    const server = await start();
    await ask(server, 'it\'s 50% "quoted" AND (odd): a_b*c\\d');
    const odd = [
      '"',
      "'",
      '*',
      '"it',
      'NOT',
      'a AND',
      '(',
      ':*',
      '\\',
      '\0',
      "'; DROP TABLE runs; --",
      '%',
      '😀',
      '{',
      '!',
      '&|',
    ];
    for (const words of odd) expect([words, (await search(server, words)).status]).toEqual([words, 200]);
    for (const words of ["it's", '"quoted" AND (odd)', 'a_b*c\\d'])
      expect([words, (await search(server, words)).items.length]).toEqual([words, 1]);
    expect((await search(server, 'x'.repeat(201))).status).toBe(400);
    expect((await server.call('GET', '/threads?search=a&search=b')).status).toBe(400);
  });

  it('finds a thread by its new name, and nothing of a deleted one', async () => {
    const server = await start();
    const { threadId } = await ask(server, 'zebra');
    await server.call('PATCH', `/threads/${threadId}`, { title: 'Stripes' });
    expect((await search(server, 'strip')).items).toMatchObject([{ id: threadId, match: { in: 'title' } }]);
    await server.call('DELETE', `/threads/${threadId}`);
    for (const words of ['stripes', 'zebra', '42']) expect((await search(server, words)).items).toEqual([]);
  });

  it('finds no word that the agent has withdrawn, and none of its tools', async () => {
    const server = await serve({
      play: async (_, { emit }) => {
        const part = (partId: string, stepId: string, delta: string) => {
          void emit({ type: 'text-start', partId, stepId, messageId: 'm1' });
          void emit({ type: 'text-delta', partId, delta });
          void emit({ type: 'text-end', partId });
        };
        void emit({ type: 'step-start', stepId: 's1', name: 'one', attempt: 1 });
        part('p1', 's1', 'withdrawn');
        void emit({ type: 'step-reset', stepId: 's1', attempt: 2, reason: 'retry' });
        part('p2', 's1', 'kept');
        const call = { toolCallId: 'c1', toolName: 'order', stepId: 's1' };
        void emit({
          type: 'tool-start',
          ...call,
          messageId: 'm1',
          label: 'Ordering…',
          input: { item: 'hidden' },
        });
        void emit({ type: 'tool-end', toolCallId: 'c1', outcome: 'ok', durationMs: 1 });
        void emit({ type: 'step-end', stepId: 's1', name: 'one', attempt: 2 });
      },
    });
    await ask(server, 'question');
    expect((await search(server, 'kept')).items).toHaveLength(1);
    for (const words of ['withdrawn', 'hidden', 'ordering'])
      expect((await search(server, words)).items).toEqual([]);
  });
});
