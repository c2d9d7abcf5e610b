import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  NotFoundException,
  Sse,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createParser } from 'eventsource-parser';
import { catchError, concat, EMPTY, from, NEVER, Observable, of, throwError } from 'rxjs';
import { Frame, HEARTBEAT } from './frame.js';
import { NestStreamGuard } from './nest-stream.guard.js';
import { SseInterceptor } from './sse.interceptor.js';
import { SseStreams } from './sse-streams.js';

const frames = Array.from(
  { length: 11 },
  (_, index) => new Frame(`run.1.${index + 1}`, 'said', `${index + 1}`),
);
const ALL = frames.map(({ id }) => id);

/** Each route is a source that ends in its own way. */
/** Above the time for which a busy machine stops this process, reader and all. */
const STALL_MS = 4_000;

@Controller()
@UseInterceptors(SseInterceptor)
class Sources {
  static left = 0;

  @Sse('fails')
  fails(): Observable<Frame> {
    return concat(
      from(frames),
      throwError(() => new Error('disk on fire')),
    );
  }

  @Sse('fails-at-once')
  failsAtOnce(): Observable<Frame> {
    return throwError(() => new NotFoundException('Nothing here.'));
  }

  @Sse('fails-late')
  async failsLate(): Promise<Observable<Frame>> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new NotFoundException('Nothing here.');
  }

  @Sse('forgiven')
  forgiven(): Promise<Observable<Frame>> {
    return this.failsLate();
  }

  @Sse('completes')
  completes(): Observable<Frame> {
    return from(frames);
  }

  @Sse('single')
  single(): Observable<Frame> {
    return of(frames[0]!);
  }

  @Sse('empty')
  empty(): Observable<Frame> {
    return EMPTY;
  }

  /** More than the network between us holds. */
  @Sse('large')
  large(): Observable<Frame> {
    return of(frames[0]!, new Frame('run.1.2', 'said', 'x'.repeat(16 * 1024 * 1024)));
  }

  @Sse('quiet')
  quiet(): Observable<Frame> {
    return new Observable((subscriber) => {
      subscriber.add(concat(from(frames), NEVER).subscribe(subscriber));
      subscriber.add(() => Sources.left++);
    });
  }
}

/** Around ours: has an answer of its own for a certain error. */
class ForgivingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getHandler().name !== 'forgiven') return next.handle();
    return next.handle().pipe(catchError(() => of({ id: '1', type: 'said', data: 'never mind' })));
  }
}

describe('SseInterceptor', () => {
  let app: INestApplication;
  let streams: SseStreams;

  beforeEach(async () => {
    Sources.left = 0;
    const provider = {
      provide: SseStreams,
      useFactory: () => new SseStreams({ heartbeatMs: 20, stallMs: STALL_MS }),
    };
    const module = await Test.createTestingModule({
      controllers: [Sources],
      providers: [provider],
    }).compile();
    app = module.createNestApplication({ logger: false });
    app.useGlobalGuards(new NestStreamGuard());
    app.useGlobalInterceptors(new ForgivingInterceptor());
    await app.listen(0, '127.0.0.1');
    streams = app.get(SseStreams);
  });

  afterEach(async () => {
    app.getHttpServer().closeAllConnections();
    await app.close();
  });

  const url = (path: string) =>
    `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/${path}`;

  it.each([
    ['fails right after its last frame', 'fails', ALL],
    ['completes in the turn of its first frame', 'completes', ALL],
    ['has one frame', 'single', ALL.slice(0, 1)],
    ['has none', 'empty', []],
  ])('delivers all frames of a source that %s and ends the response', async (_how, path, ids) => {
    const response = await fetch(url(path));
    expect(response.status).toBe(200);
    expect(idsIn(await response.text())).toEqual(ids);
    expect(streams.size).toBe(0);
  });

  it("removes Nest's unpipe listener from the response", async () => {
    const responses: ServerResponse[] = [];
    app
      .getHttpServer()
      .on('request', (_request: unknown, response: ServerResponse) => responses.push(response));
    const reader = (await fetch(url('quiet'))).body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('data: 11')) text += (await reader.read()).value;
    expect(responses[0]!.listenerCount('unpipe')).toBe(0);
    await reader.cancel();
  });

  it.each(['fails-at-once', 'fails-late'])(
    'leaves an error before the first frame to the exception filters: %s',
    async (path) => {
      const response = await fetch(url(path));
      expect(response.status).toBe(404);
      await response.text();
      expect(streams.size).toBe(0);
    },
  );

  it('lets an outer interceptor replace an error with frames', async () => {
    const response = await fetch(url('forgiven'));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('data: never mind');
    expect(streams.size).toBe(0);
  });

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'releases stream and source when the client leaves by socket.%s',
    async (how) => {
      const { port } = app.getHttpServer().address() as AddressInfo;
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
      expect(streams.size).toBe(1);
      socket[how]();
      await until(() => streams.size === 0);
      expect(Sources.left).toBe(1);
    },
  );

  it('answers HEAD for a stream and releases its source', async () => {
    const response = await fetch(url('quiet'), { method: 'HEAD' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await until(() => streams.size === 0);
    expect(Sources.left).toBe(1);
  });

  it('releases responses that wait behind another one on a closed connection', async () => {
    const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
    await until(() => streams.size === 3);
    socket.destroy();
    await until(() => streams.size === 0);
    expect(Sources.left).toBe(3);
  });

  it('cuts a client that reads nothing for too long, even after its source has ended', async () => {
    const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => streams.size === 1);
    await until(() => streams.size === 0);
    socket.destroy();
  });

  it.each([3_600_000, -3_600_000])('keeps sending heartbeats when the clock jumps by %d ms', async (step) => {
    const leaving = new AbortController();
    const response = await fetch(url('quiet'), { signal: leaving.signal });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + step);
    let beats = 0;
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      beats += decoder.decode(bytes).split(HEARTBEAT).length - 1;
      if (beats >= 3) break;
    }
    expect(beats).toBeGreaterThanOrEqual(3);
    clock.mockRestore();
    leaving.abort();
  });

  it('does not cut a client that reads a large frame slowly', async () => {
    const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let taken = 0;
    const startedAt = Date.now();
    socket.on('data', (bytes) => {
      taken += bytes.length;
      // Slow enough that the whole takes longer than the server's patience.
      socket.pause();
      setTimeout(() => socket.resume(), STALL_MS / 200);
    });
    await until(() => taken > 16 * 1024 * 1024 || socket.closed);
    expect(taken).toBeGreaterThan(16 * 1024 * 1024);
    expect(Date.now() - startedAt).toBeGreaterThan(STALL_MS);
    socket.destroy();
  });

  it('ends open streams at a drain, and those that arrive during it', async () => {
    const open = await fetch(url('quiet'));
    const drained = streams.drain(0);
    const late = await fetch(url('quiet'));
    expect(idsIn(await open.text())).toEqual(ALL);
    expect(idsIn(await late.text())).toEqual(ALL);
    await drained;
    expect(streams.size).toBe(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function idsIn(stream: string): (string | undefined)[] {
  const ids: (string | undefined)[] = [];
  createParser({ onEvent: ({ id }) => ids.push(id) }).feed(stream);
  return ids;
}
