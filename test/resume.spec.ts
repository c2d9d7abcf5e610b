import { describe, expect, it } from '@jest/globals';
import { EventSource } from 'eventsource';
import { formatCursor } from '../src/events/cursor.js';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import type { Storage } from '../src/storage/storage.js';
import { chatServers, gate, type ChatServer } from './support/chat.server.js';
import { EventStream, type SeenFrame } from './support/event-stream.js';
import { everything, nineWords, sayOneByOne } from './support/plays.js';
import { createAnswer } from '../src/testing/scripted.agent.js';

/** Returns the frames that a reader of the whole run has to see. */
async function readLog(storage: Storage, runId: string): Promise<SeenFrame[]> {
  const events = await storage.log.read(runId, 0, 10_000);
  return events.map((recorded) => ({
    id: formatCursor(recorded),
    event: recorded.event.type,
    data: recorded.event.type.endsWith('-delta')
      ? { ...recorded.event }
      : { ...recorded.event, at: recorded.at },
  }));
}

/** Reads until it has `count` events of the log, and goes away. What arrived after them is not counted as seen. */
async function readSome(stream: EventStream, count: number): Promise<SeenFrame[]> {
  await stream.until(() => stream.events.length >= count);
  stream.leave();
  return stream.events.slice(0, count);
}

describe('resuming a stream', () => {
  const start = chatServers();

  const RESUMES: readonly [
    string,
    (server: ChatServer, runId: string, id: string) => Promise<EventStream>,
  ][] = [
    ['Last-Event-ID', (server, runId, id) => server.watch(runId, id)],
    [
      '?lastEventId=',
      (server, runId, id) => EventStream.open(`${server.url}/runs/${runId}/events?lastEventId=${id}`),
    ],
    ['a repeated POST', (server, _runId, id) => server.ask({ message: 'again' }, { 'last-event-id': id })],
  ];

  it.each(RESUMES)(
    'continues an ended run after every event without loss or repetition, by %s',
    async (_how, resume) => {
      const server = await start({ play: everything });
      const { runId } = await server.finishedRun();
      const log = await readLog(server.storage, runId);
      expect(log.length).toBeGreaterThan(25);
      for (let cut = 0; cut < log.length; cut++) {
        const seen = await readSome(await server.watch(runId), cut);
        const rest = await resume(server, runId, seen.at(-1)?.id ?? `${runId}.0.0`);
        expect(await rest.closed()).toBe('end');
        expect([...seen, ...rest.events]).toEqual(log);
      }
      // It was read again and again, and started once.
      const { body } = await server.call('GET', `/runs/${runId}`);
      expect(body).toMatchObject({ status: 'completed', lastSeq: log.length });
    },
  );

  it('continues a run in progress after every event without loss or repetition', async () => {
    const watched = gate();
    const server = await start({
      play: async (input, context) => {
        await watched.opened;
        await everything(input, context);
      },
    });
    const { runId } = await server.startRun();
    const streams = await Promise.all(Array.from({ length: 26 }, () => server.watch(runId)));
    const readers = streams.map(async (stream, cut) => {
      const seen = await readSome(stream, cut);
      const rest = await server.watch(runId, seen.at(-1)?.id);
      await rest.closed();
      return [...seen, ...rest.events];
    });
    watched.open();
    const views = await Promise.all(readers);
    const log = await readLog(server.storage, runId);
    for (const view of views) expect(view).toEqual(log);
  });

  it('sends the same events to all readers, early and late', async () => {
    const half = gate();
    const server = await start({
      play: async (input, context) => {
        await nineWords(input, context);
        await half.opened;
        await sayOneByOne(context, createAnswer(context, ['The', ' end.'], '2'));
      },
    });
    const first = await server.ask();
    const runId = String((await first.frame('ready')).data['runId']);
    const early = await Promise.all([server.watch(runId), server.watch(runId)]);
    await first.frame('step-end');
    const late = await server.watch(runId);
    await late.frame('step-end');
    half.open();
    for (const stream of [first, ...early, late]) await stream.closed();
    const after = await server.watch(runId);
    await after.closed();
    const log = await readLog(server.storage, runId);
    for (const stream of [first, ...early, late, after]) expect(stream.events).toEqual(log);
  });

  it('works with the reconnects of an EventSource, and stops it with 204 after the end', async () => {
    const server = await start({ play: nineWords });
    const { runId } = await server.finishedRun();
    const log = await readLog(server.storage, runId);
    const sent: (string | undefined)[] = [];
    const seen: { id: string; data: unknown }[] = [];
    const statuses: number[] = [];
    const source = new EventSource(`${server.url}/runs/${runId}/events`, {
      fetch: async (url, init) => {
        sent.push((init.headers as Record<string, string>)['Last-Event-ID']);
        const response = await fetch(url, init);
        statuses.push(response.status);
        // The first three connections break in the middle of the fourth event that they bring.
        const body = response.body?.pipeThrough(network(sent.length < 4 ? 3 : Infinity)) ?? null;
        const { status, headers } = response;
        const { redirected, url: finalUrl } = response;
        return { body, status, headers, redirected, url: finalUrl };
      },
    });
    const stopped = new Promise<void>((resolve) => {
      source.addEventListener('error', () => source.readyState === EventSource.CLOSED && resolve());
    });
    for (const name of new Set(log.map(({ event }) => event)))
      source.addEventListener(name, ({ lastEventId, data }) =>
        seen.push({ id: lastEventId, data: JSON.parse(String(data)) }),
      );
    await stopped;
    source.close();
    expect(seen).toEqual(log.map(({ id, data }) => ({ id, data })));
    expect(statuses.at(-1)).toBe(204);
    expect(sent[0]).toBeUndefined();
    expect(sent.at(-1)).toBe(log.at(-1)?.id);
  });

  it('answers 204 to a GET after the end, and an empty stream to a POST', async () => {
    const server = await start({ play: nineWords });
    const { runId, lastId } = await server.finishedRun();
    const get = await server.watch(runId, lastId);
    expect(get.status).toBe(204);
    expect(await get.closed()).toBe('end');
    expect(get.raw).toBe('');

    const post = await server.ask({ message: 'again' }, { 'last-event-id': lastId });
    expect(post.status).toBe(200);
    expect(await post.closed()).toBe('end');
    expect(post.events).toEqual([]);
    expect(post.frames[0]?.data).toMatchObject({ type: 'ready', runId, status: 'completed' });
  });

  it('attaches a POST with a Last-Event-ID to its run in progress', async () => {
    const rest = gate();
    const server = await start({
      play: async (input, context) => {
        await nineWords(input, context);
        await rest.opened;
      },
    });
    const first = await server.ask();
    await first.frame('step-end');
    first.leave();
    const second = await server.ask({ message: 'hello' }, { 'last-event-id': first.lastId });
    const ready = await second.frame('ready');
    expect(ready.data['runId']).toBe(first.frames[0]?.data['runId']);
    rest.open();
    await second.closed();
    expect([...first.events, ...second.events]).toEqual(
      await readLog(server.storage, String(ready.data['runId'])),
    );
  });
});

describe('Idempotency-Key', () => {
  const start = chatServers();
  const key = { 'idempotency-key': 'key-1' };

  it('returns the run of a repeated Idempotency-Key, whatever the order of the fields', async () => {
    const server = await start({ play: nineWords });
    const first = await server.ask({ message: 'hello', metadata: { a: 1, b: 2 } }, key);
    await first.closed();
    const second = await server.ask({ metadata: { b: 2, a: 1 }, message: 'hello' }, key);
    await second.closed();
    expect(second.frames.slice(1)).toEqual(first.frames.slice(1));
    const { runId } = await server.startRun({ message: 'hello', metadata: { a: 1, b: 2 } }, key);
    expect(runId).toBe(first.frames[0]?.data['runId']);
  });

  it('answers 422 when the body of a repeated Idempotency-Key differs', async () => {
    const server = await start();
    await server.startRun({ message: 'hello' }, key);
    const { status, body } = await server.call('POST', '/runs', { message: 'bye' }, key);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('starts one run for 50 POSTs with one Idempotency-Key at the same moment', async () => {
    const server = await start({ play: nineWords });
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => server.ask({ message: 'hello' }, key)),
    );
    await Promise.all(streams.map((stream) => stream.closed()));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(streams.map(({ frames }) => frames[0]?.data['runId'])).size).toBe(1);
    for (const { events } of streams) expect(events).toEqual(streams[0]?.events);
    const { body } = await server.call('GET', '/threads');
    expect(body['items']).toHaveLength(1);
  });
});

/** Lets `ready` and so many events through, breaks off inside the next, and has the browser come back at once. */
function network(events: number): TransformStream<Uint8Array, Uint8Array> {
  let text = '';
  return new TransformStream({
    transform: (chunk) => void (text += Buffer.from(chunk).toString()),
    flush: (controller) => {
      const frames = text.replace(/retry: \d+/, 'retry: 1').split('\n\n');
      const kept = frames.slice(0, events + 1).join('\n\n');
      const torn = frames[events + 1]?.slice(0, 12);
      controller.enqueue(Buffer.from(torn === undefined ? kept : `${kept}\n\n${torn}`));
    },
  });
}

describe('cursor', () => {
  const start = chatServers();

  it.each([
    ['nonsense', 'nonsense'],
    ['an id with a sign', 'RUN.1.-2'],
    ['an id with a leading zero', 'RUN.1.02'],
    ['a number of a counter', '7'],
    ['a seq without an epoch', 'RUN.0.2'],
    ['spaces', 'RUN. 1.2'],
    ['another run', 'other.1.2'],
    ['a seq larger than any', 'RUN.1.99999999999999999999'],
    ['ten thousand characters', `${'a'.repeat(10_000)}.1.1`],
  ])('refuses a cursor with 400 before the stream when it is %s', async (_what, id) => {
    const server = await start({ play: nineWords });
    const { runId } = await server.finishedRun();
    const cursor = id.replace('RUN', runId);
    for (const stream of [
      await server.watch(runId, cursor),
      await EventStream.open(`${server.url}/runs/${runId}/events?lastEventId=${encodeURIComponent(cursor)}`),
    ]) {
      await stream.closed();
      expect(stream.status).toBe(400);
      expect(stream.response.headers['content-type']).toContain('application/problem+json');
      expect(JSON.parse(stream.raw)).toMatchObject({ code: 'CURSOR_INVALID', status: 400 });
    }
  });

  it('starts no run when a POST carries an invalid cursor', async () => {
    const server = await start({ play: nineWords });
    const stream = await server.ask({ message: 'hello' }, { 'last-event-id': '7' });
    await stream.closed();
    expect(stream.status).toBe(400);
    expect((await server.call('GET', '/threads')).body['items']).toEqual([]);
  });

  it('refuses a URL with two cursors', async () => {
    const server = await start({ play: nineWords });
    const { runId, lastId } = await server.finishedRun();
    const query = `lastEventId=${lastId}&lastEventId=${lastId}`;
    const { status, body } = await server.call('GET', `/runs/${runId}/events?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('ignores an empty cursor', async () => {
    const server = await start({ play: nineWords });
    const { runId, events } = await server.finishedRun();
    const stream = await EventStream.open(`${server.url}/runs/${runId}/events?lastEventId=`);
    await stream.closed();
    expect(stream.events).toEqual(events);
  });

  it.each([
    ['beyond the tail', '1.99', 'unknown'],
    ['from another history', '2.5', 'other-history'],
  ])('sends a reset and the run from its first event for a cursor %s', async (_what, place, reason) => {
    const server = await start({ play: nineWords });
    const { runId, events } = await server.finishedRun();
    const stream = await server.watch(runId, `${runId}.${place}`);
    await stream.closed();
    expect(stream.frames[1]).toEqual({
      id: `${runId}.0.0`,
      event: 'reset',
      data: { type: 'reset', reason, from: 1 },
    });
    expect(stream.events).toEqual(events);
  });

  it('sends a reset and the kept events for an expired cursor, and no reset at the next reconnect', async () => {
    const storage = new MemoryStorage();
    const server = await start({ storage, play: nineWords });
    const { runId, events } = await server.finishedRun();
    forgetBefore(storage, 5);
    const other = await start({ storage });

    const stream = await other.watch(runId, `${runId}.1.3`);
    await stream.closed();
    expect(stream.frames[0]?.data).toMatchObject({ type: 'ready', from: 5, tail: events.length });
    expect(stream.frames[1]?.data).toEqual({ type: 'reset', reason: 'expired', from: 5 });
    expect(stream.events).toEqual(events.slice(4));

    // Cut right after the reset, and once more after the first event.
    for (const [index, frame] of stream.frames.slice(1, 3).entries()) {
      const again = await other.watch(runId, frame.id);
      await again.closed();
      expect(again.frames.some(({ event }) => event === 'reset')).toBe(false);
      expect(again.events).toEqual(events.slice(4 + index));
    }
  });

  it('sends a reset and ends the stream when the whole log has expired', async () => {
    const storage = new MemoryStorage();
    const server = await start({ storage, play: nineWords });
    const { runId, lastId, events } = await server.finishedRun();
    forgetBefore(storage, events.length + 1);
    const stream = await (await start({ storage })).watch(runId, lastId);
    expect(await stream.closed()).toBe('end');
    expect(stream.frames.map(({ event }) => event)).toEqual(['ready', 'reset']);
  });
});

/** The storage as its retention would leave it. */
function forgetBefore(storage: MemoryStorage, firstSeq: number): void {
  const get = storage.runs.get.bind(storage.runs);
  const read = storage.log.readPage.bind(storage.log);
  storage.runs.get = async (runId) => {
    const run = await get(runId);
    return run && { ...run, firstSeq };
  };
  storage.log.readPage = (runId, afterSeq, limit) => read(runId, Math.max(afterSeq, firstSeq - 1), limit);
}
