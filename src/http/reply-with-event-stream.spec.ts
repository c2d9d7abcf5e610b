import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concat, EMPTY, NEVER, Observable, of, throwError } from 'rxjs';
import { Frame } from './frame.js';
import { replyWithEventStream } from './reply-with-event-stream.js';
import { SseStreams } from './sse-streams.js';
import type { WebResponse } from './http.types.js';

const FRAME = new Frame('run.1.1', 'said', '"hello"');

describe('replyWithEventStream', () => {
  let server: Server;
  let streams: SseStreams;
  let handle: (response: ServerResponse) => unknown;

  beforeEach(async () => {
    streams = new SseStreams();
    server = createServer((_request, response) => void handle(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  /** Asks the server, whose handler replies with these frames, and tells how that went. */
  function serve(frames: Observable<Frame>, framework = (response: ServerResponse): WebResponse => response) {
    const replied = Promise.withResolvers<{ response: ServerResponse; error?: unknown }>();
    handle = (response) =>
      replyWithEventStream(streams, framework(response), frames).then(
        () => replied.resolve({ response }),
        (error: unknown) => replied.resolve({ response, error }),
      );
    return replied.promise;
  }

  async function ask(method = 'GET') {
    const client = request({ port: (server.address() as AddressInfo).port, method, agent: false });
    client.on('error', () => undefined).end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    return { client, response };
  }

  it('resolves when the head of a stream is written and goes on with the frames', async () => {
    const replied = serve(concat(of(FRAME), NEVER));
    const { client, response } = await ask();
    expect((await replied).error).toBeUndefined();
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream');
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(String(chunk)).toBe(`\n${FRAME.text}`);
    expect(streams.size).toBe(1);
    client.destroy();
    await until(() => streams.size === 0);
  });

  it('writes the head of a stream that has no frames yet', async () => {
    const replied = serve(NEVER);
    const { response } = await ask();
    expect((await replied).error).toBeUndefined();
    expect(response.headers['content-type']).toBe('text/event-stream');
  });

  it('rejects without writing anything when the frames fail before the first one', async () => {
    const replied = serve(throwError(() => new Error('disk on fire')));
    const asked = ask();
    const { response, error } = await replied;
    expect(error).toEqual(new Error('disk on fire'));
    expect(response.headersSent).toBe(false);
    response.writeHead(503).end();
    expect((await asked).response.statusCode).toBe(503);
    await until(() => response.closed);
    expect(streams.size).toBe(0);
  });

  it('ends a stream that fails after its first frame, without rejecting', async () => {
    const replied = serve(
      concat(
        of(FRAME),
        throwError(() => new Error('disk on fire')),
      ),
    );
    const { response } = await ask();
    expect((await replied).error).toBeUndefined();
    response.resume();
    await once(response, 'end');
    expect(response.complete).toBe(true);
  });

  it('ends a stream without frames', async () => {
    void serve(EMPTY);
    const { response } = await ask();
    response.resume();
    await once(response, 'end');
    expect(response.statusCode).toBe(200);
  });

  it('resolves and unsubscribes when the client leaves before the head', async () => {
    const [asked, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const frames = new Observable<Frame>((subscriber) => {
      subscriber.add(() => stopped.resolve());
      asked.resolve();
    });
    const replied = serve(frames);
    const client = request({ port: (server.address() as AddressInfo).port, agent: false });
    client.on('error', () => undefined).end();
    await asked.promise;
    client.destroy();
    await stopped.promise;
    const { response, error } = await replied;
    expect(error).toBeUndefined();
    expect(response.headersSent).toBe(false);
  });

  it('answers HEAD with headers only and never subscribes to the frames', async () => {
    let asked = false;
    const frames = new Observable<Frame>(() => void (asked = true));
    const replied = serve(frames);
    const { response } = await ask('HEAD');
    expect((await replied).error).toBeUndefined();
    expect(response.headers['content-type']).toBe('text/event-stream');
    response.resume();
    await once(response, 'end');
    expect(asked).toBe(false);
  });

  it('copies headers set by the framework and takes over its reply only with the head', async () => {
    let hijacked = 0;
    const fastify = (raw: ServerResponse): WebResponse => ({
      raw,
      getHeaders: () => ({ 'x-host': 'was here', 'cache-control': 'public' }),
      hijack: () => hijacked++,
    });
    const failed = serve(
      throwError(() => new Error('disk on fire')),
      fastify,
    );
    void ask();
    const { response: refused } = await failed;
    expect(hijacked).toBe(0);
    refused.end();

    const replied = serve(of(FRAME), fastify);
    const { response } = await ask();
    await replied;
    expect(hijacked).toBe(1);
    expect(response.headers['x-host']).toBe('was here');
    expect(response.headers['cache-control']).toContain('no-store');
  });

  it('rejects when a header of the stream cannot be written', async () => {
    const replied = serve(of(FRAME), (raw) => ({
      raw,
      getHeaders: () => ({ 'x-host': 'two\nlines' }),
      hijack: () => undefined,
    }));
    void ask();
    const { response, error } = await replied;
    expect(error).toMatchObject({ code: 'ERR_INVALID_CHAR' });
    expect(response.headersSent).toBe(false);
    response.end();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
