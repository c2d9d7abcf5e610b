import { connect } from 'node:net';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import type { WakeupTopic } from '../src/runs/wakeups.js';
import { LocalWakeups } from '../src/storage/local-wakeups.js';
import { createAnswer } from '../src/testing/scripted.agent.js';
import { chatServers, gate, type Play } from './support/chat.server.js';
import { nineWords, sayOneByOne } from './support/plays.js';
import { until } from './support/until.js';

describe('run stream', () => {
  const start = chatServers();

  it('begins a stream with a ready frame before the agent emits anything', async () => {
    const silent = gate();
    const server = await start({ play: () => silent.opened });
    const stream = await server.ask();
    const ready = await stream.frame('ready');
    expect(ready.data).toEqual({
      type: 'ready',
      runId: expect.stringMatching(/^[a-z0-9]{20}$/),
      threadId: expect.stringMatching(/^[a-z0-9]{20}$/),
      from: 1,
      tail: 0,
      status: 'running',
      at: expect.any(Number),
    });
    expect(stream.frames[0]).toBe(ready);
    silent.open();
    await stream.closed();
  });

  it('sends the headers that proxies and browsers need, and a jittered retry', async () => {
    const server = await start({ play: nineWords });
    const streams = await Promise.all(Array.from({ length: 20 }, () => server.ask()));
    for (const stream of streams) await stream.closed();
    const { headers } = streams[0]!.response;
    const { runId } = streams[0]!.frames[0]!.data;
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
      'cache-control': expect.stringMatching(/no-store.*no-transform/),
      location: `/api/chat/runs/${String(runId)}/events`,
      'content-location': `/api/chat/runs/${String(runId)}/events`,
    });
    expect(headers['content-length']).toBeUndefined();
    const pauses = streams.map(({ retryMs }) => retryMs!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  });

  it('ends the lines of a stream with LF only, and uses at most 120 bytes for a one-token delta', async () => {
    const server = await start({ play: nineWords });
    const { raw } = await server.finishedRun();
    expect(raw).not.toContain('\r');
    const deltas = raw.split('\n\n').filter((frame) => frame.includes('event: text-delta'));
    expect(deltas).toHaveLength(9);
    for (const frame of deltas) expect(Buffer.byteLength(frame) + 2).toBeLessThanOrEqual(120);
  });

  it('sends comments that move no cursor while a run is silent', async () => {
    const silent = gate();
    const server = await start({
      heartbeatMs: 20,
      play: async (_, context) => {
        await sayOneByOne(context, createAnswer(context, ['Looking…']));
        await silent.opened;
      },
    });
    const stream = await server.ask();
    await stream.frame('step-end');
    await stream.until(() => stream.comments.length >= 3);
    const { lastId } = stream;
    await stream.until(() => stream.comments.length >= 5);
    expect(stream.lastId).toBe(lastId);
    silent.open();
    await stream.closed();
    expect(stream.raw).toContain('\n:\n\n');
  });

  it('releases a stream when its reader leaves, and continues the run', async () => {
    const rest = gate();
    const wakeups = new CountedWakeups();
    const storage = Object.assign(new MemoryStorage(), { wakeups });
    const server = await start({
      storage,
      play: async (input, context) => {
        await nineWords(input, context);
        await rest.opened;
        await sayOneByOne(context, createAnswer(context, ['Done.'], '2'));
      },
    });
    const streams = await Promise.all([server.ask(), server.ask(), server.ask()]);
    for (const stream of streams) await stream.frame('step-end');
    expect(server.streams.size).toBe(3);
    expect(server.readers).toBe(1);
    expect(wakeups.followers).toBe(3);

    for (const stream of streams) stream.leave();
    await until(() => server.streams.size === 0 && server.readers === 0 && wakeups.followers === 0);

    rest.open();
    const again = await server.watch(String(streams[0].frames[0]!.data['runId']), streams[0].lastId);
    await again.closed();
    expect(again.text).toBe('Done.');
    expect(again.events.at(-1)?.data).toMatchObject({ outcome: 'completed' });
  });

  it('does not delay a reader by another reader of the run that does not read', async () => {
    let slowResponse: ServerResponse | undefined;
    const server = await start({
      play: endlessTalk,
      prepare: (app) =>
        app.use((request: { url: string }, response: ServerResponse, next: () => void) => {
          if (request.url.includes('slow')) slowResponse = response;
          next();
        }),
    });
    const { runId } = await server.startRun();
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.write(`GET /api/chat/runs/${runId}/events?slow HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => slowResponse?.writableNeedDrain === true);
    expect(slowResponse!.writableLength).toBeLessThanOrEqual(1024 * 1024);

    const quick = await server.watch(runId);
    await quick.until(() => quick.raw.length > 3 * 1024 * 1024);
    // Its run has gone on by megabytes.
    expect(slowResponse!.writableLength).toBeLessThanOrEqual(1024 * 1024);
    socket.destroy();
    await server.call('POST', `/runs/${runId}/cancel`);
    // Its log may have grown to hundreds of megabytes by now.
    quick.leave();
  });

  it('delivers a page whole that is larger than the buffer limit', async () => {
    const storage = new MemoryStorage();
    const first = await start({
      storage,
      play: async (_, { emit }) => {
        for (let index = 0; index < 4; index++)
          await emit({ type: 'custom', name: 'big', data: 'x'.repeat(2 * 1024 * 1024) });
      },
    });
    const { runId } = await first.startRun();
    const whole = await first.watch(runId);
    expect(await whole.closed()).toBe('end');
    const late = await (await start({ storage })).watch(runId);
    expect(await late.closed()).toBe('end');
    expect(late.events).toEqual(whole.events);
    expect(late.events).toHaveLength(6);
  });

  it('answers HEAD on a stream with its headers and ends', async () => {
    const server = await start({ play: nineWords });
    const { runId } = await server.finishedRun();
    const response = await fetch(`${server.url}/runs/${runId}/events`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await until(() => server.streams.size === 0);
  });
});

/** Megabytes, some kilobytes at a time, until it is told to stop. */
const endlessTalk: Play = async (_, { emit, signal }) => {
  while (!signal.aborted) {
    await emit({ type: 'custom', name: 'talk', data: 'x'.repeat(32_000) });
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Knows how many feeds listen. */
class CountedWakeups extends LocalWakeups {
  followers = 0;

  override listen(topic: WakeupTopic, wake: () => void): () => void {
    const stop = super.listen(topic, wake);
    if (!topic.startsWith('log:')) return stop;
    this.followers++;
    return () => {
      this.followers--;
      stop();
    };
  }
}
