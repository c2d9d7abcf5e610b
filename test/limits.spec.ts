import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import { chatServers, gate } from './support/chat.server.js';
import { nineWords } from './support/plays.js';
import { until } from './support/until.js';

describe('limits', () => {
  const start = chatServers();

  it('refuses a start above startsPerMinute before any stream, with Retry-After', async () => {
    const server = await start({ play: nineWords, throttling: { startsPerMinute: 2, maxOpenStreams: 5 } });
    await server.startRun();
    await server.finishedRun();
    for (const path of ['', '/runs']) {
      const { status, headers, body } = await server.call('POST', path, { message: 'once more' });
      expect(status).toBe(429);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    }
    // To read is free.
    expect((await server.call('GET', '/threads')).body['items']).toHaveLength(2);
  });

  it('counts a POST that resumes its run by Last-Event-ID as no new start', async () => {
    const server = await start({ play: nineWords, throttling: { startsPerMinute: 1, maxOpenStreams: 5 } });
    const { runId } = await server.finishedRun();
    const again = await server.ask({ message: 'the same' }, { 'last-event-id': `${runId}.1.1` });
    expect(again.status).toBe(200);
    expect(await again.closed()).toBe('end');
    expect((await server.call('POST', '/runs', { message: 'another' })).status).toBe(429);
  });

  it('refuses a stream above maxOpenStreams, and admits one again after another has closed', async () => {
    const silent = gate();
    const server = await start({
      play: () => silent.opened,
      throttling: { startsPerMinute: 10, maxOpenStreams: 2 },
    });
    const { runId } = await server.startRun();
    const streams = [await server.watch(runId), await server.watch(runId)];
    await Promise.all(streams.map((stream) => stream.frame('ready')));
    const { status, headers, body } = await server.call('GET', `/runs/${runId}/events`);
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('5');
    expect(body).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    // A question whose stream cannot be had is not asked.
    expect((await server.call('POST', '', { message: 'hello' })).status).toBe(429);
    expect((await server.call('GET', '/threads')).body['items']).toHaveLength(1);

    streams[0]!.leave();
    await until(() => server.streams.size === 1);
    const another = await server.watch(runId);
    expect(another.status).toBe(200);
    silent.open();
    await another.closed();
  });

  it('ends a stream when its token expires, and resumes it with a new token without a gap', async () => {
    const secret = 'a secret of at least thirty-two characters';
    const storage = new MemoryStorage();
    const rest = gate();
    const server = await start({
      storage,
      auth: { kind: 'credentials', jwt: { secret } },
      play: async (input, context) => {
        await nineWords(input, context);
        await rest.opened;
      },
    });
    const bearer = async (seconds: number) => ({
      authorization: `Bearer ${await new SignJWT({ sub: 'ann', tenant: 'acme' })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(new TextEncoder().encode(secret))}`,
    });
    // Long enough for a busy machine to open a stream with it.
    const stream = await server.ask({ message: 'hello' }, await bearer(8));
    await stream.frame('step-end');
    expect(await stream.closed()).toBe('end');
    expect(stream.events.at(-1)?.event).toBe('step-end');

    rest.open();
    const runId = String(stream.frames[0]!.data['runId']);
    const after = await server.watch(runId, stream.lastId, { headers: await bearer(60) });
    await after.closed();
    expect(after.events.map(({ event }) => event)).toEqual(['end']);
    const refused = await server.watch(runId, stream.lastId, { headers: await bearer(-60) });
    await refused.closed();
    expect(refused.status).toBe(401);
  });
});
