import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import { SqliteStorage } from '../src/storage/sqlite/sqlite.storage.js';
import { createAnswer } from '../src/testing/scripted.agent.js';
import { ChatServer, gate, type Play } from './support/chat.server.js';
import { nineWords, sayOneByOne } from './support/plays.js';
import { until } from './support/until.js';

describe('shutdown', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shutdown-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('hands back a run in the middle of a step, which the next process continues without loss', async () => {
    const first = await ChatServer.start({
      storage: new SqliteStorage({ directory }),
      play: async (_, context) => {
        await sayOneByOne(context, createAnswer(context, ['Kept. '], 'kept'));
        const unfinished = createAnswer(context, ['Dropped.'], 'unfinished').slice(0, 3);
        await sayOneByOne(context, unfinished);
        await aborted(context.signal);
      },
    });
    const before = await first.ask();
    await before.until(() => before.text === 'Kept. Dropped.');
    const { runId } = before.frames[0]!.data;
    await first.close();
    expect(await before.closed()).toBe('end');
    expect(before.events.at(-1)?.event).not.toBe('end');

    const second = await ChatServer.start({
      storage: new SqliteStorage({ directory }),
      play: (_, context) => sayOneByOne(context, createAnswer(context, ['Said again.'], 'unfinished')),
    });
    const after = await second.watch(String(runId), before.lastId);
    expect(await after.closed()).toBe('end');
    expect(after.events.slice(0, 2).map(({ data }) => data)).toMatchObject([
      { type: 'run-resume', reason: 'restart' },
      { type: 'step-reset', stepId: 'step-unfinished', attempt: 2, reason: 'restart' },
    ]);
    expect(after.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });

    // Whoever reads it whole now sees what the reader with the cut saw.
    const whole = await second.watch(String(runId));
    await whole.closed();
    expect([...before.events, ...after.events]).toEqual(whole.events);
    const { body } = await second.call('GET', `/threads/${String(before.frames[0]!.data['threadId'])}`);
    expect(body['messages']).toMatchObject([{ role: 'user' }, { text: 'Kept. Said again.' }]);
    await second.close();
  });

  it('lets a run reach its step boundary', async () => {
    const storage = new MemoryStorage();
    const server = await ChatServer.start({
      storage,
      drainMs: 60_000,
      play: async (_, context) => {
        await nineWords({ message: '', metadata: {} }, context);
        await aborted(context.signal);
      },
    });
    const stream = await server.ask();
    await stream.frame('text-start');
    await server.close();
    await stream.closed();
    const run = await storage.runs.get(String(stream.frames[0]!.data['runId']));
    const log = await storage.log.read(run!.id, 0, 1_000);
    expect(run).toMatchObject({ status: 'running' });
    expect(log.at(-1)?.event.type).toBe('step-end');
  });

  it('spreads the end of the open streams over the drain window', async () => {
    const server = await ChatServer.start({ drainMs: 400, play: waits });
    const { runId } = await server.startRun();
    const streams = await Promise.all(Array.from({ length: 20 }, () => server.watch(runId)));
    await Promise.all(streams.map((stream) => stream.frame('run-start')));
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const closing = server.close();
    for (const stream of streams) expect(await stream.closed()).toBe('end');
    await closing;
    // The times that are set: on a busy machine, several may have come before the first is looked at.
    const times = timers.mock.calls.map(([, ms]) => ms);
    expect(times).toEqual(expect.arrayContaining(streams.map((_, index) => index * 20)));
    timers.mockRestore();
  });

  it('waits neither for kept-alive connections nor for readers that do not read', async () => {
    const responses: ServerResponse[] = [];
    const server = await ChatServer.start({
      play: talks,
      prepare: (app) =>
        app.use((_request: unknown, response: ServerResponse, next: () => void) => {
          responses.push(response);
          next();
        }),
    });
    const { runId } = await server.startRun();
    const request = `GET /api/chat/runs/${runId}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const reader = connect(server.port, '127.0.0.1');
    reader.write(request);
    reader.resume();
    const stuck = connect(server.port, '127.0.0.1');
    stuck.pause();
    stuck.write(request);
    await once(reader, 'data');
    // The third of them: after the start of the run and the reader.
    await until(() => responses[2]?.writableNeedDrain === true);
    const readerGone = once(reader, 'close');
    const startedAt = Date.now();
    await server.close();
    await readerGone;
    // Far below the 75 s that an idle connection is kept.
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    stuck.destroy();
  });

  it('answers 503 with Connection: close to new requests while it drains', async () => {
    // Half of it is the time in which the last stream is still open.
    const silent = gate();
    const server = await ChatServer.start({ drainMs: 60_000, play: () => silent.opened });
    const stream = await server.ask();
    const last = await server.watch(String((await stream.frame('ready')).data['runId']));
    await last.frame('run-start');
    const closing = server.close();
    await stream.closed();
    const { status, headers } = await fetch(`${server.url}/agents`);
    expect(status).toBe(503);
    expect(headers.get('connection')).toBe('close');
    silent.open();
    await last.closed();
    await closing;
  });
});

const waits: Play = (_, { signal }) => aborted(signal);

const talks: Play = async (_, { emit, signal }) => {
  while (!signal.aborted) {
    await emit({ type: 'custom', name: 'talk', data: 'x'.repeat(5_000) });
    await new Promise((resolve) => setImmediate(resolve));
  }
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
