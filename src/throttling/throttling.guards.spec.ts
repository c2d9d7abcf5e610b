import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Injectable,
  Module,
  NotFoundException,
  Post,
  RequestMethod,
  Sse,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type INestApplication,
  type MessageEvent,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import type { Response } from 'express';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { concat, NEVER, of, throwError, type Observable } from 'rxjs';
import { AuthGuard } from '../auth/auth.guard.js';
import { AuthModule } from '../auth/auth.module.js';
import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { InProcessOpenStreams } from './in-process.open-streams.js';
import { OpenStreamsGuard } from './open-streams.guard.js';
import { OpenStreams, type Release } from './open-streams.js';
import { RunStartThrottlerGuard } from './run-start.throttler.guard.js';
import { ThrottlingModule } from './throttling.module.js';
import type { ThrottlingOptions } from './throttling.options.js';

@Catch(AppError)
class StatusFilter implements ExceptionFilter<AppError> {
  catch({ code, options }: AppError, host: ArgumentsHost): void {
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(429)
      .json({ code, ...options.details });
  }
}

@Injectable()
class RefusingGuard implements CanActivate {
  canActivate(): boolean {
    throw new ForbiddenException();
  }
}

@Controller()
@UseFilters(StatusFilter)
class ChatController {
  @Post('runs')
  @UseGuards(AuthGuard, RunStartThrottlerGuard)
  start(): object {
    return {};
  }

  @Sse('chat', { method: RequestMethod.POST })
  @HttpCode(200)
  @UseGuards(AuthGuard, RunStartThrottlerGuard, OpenStreamsGuard)
  startAndStream(): Observable<MessageEvent> {
    return concat(of({ id: '1', data: 'on' }), NEVER);
  }

  @Sse('events')
  @UseGuards(AuthGuard, OpenStreamsGuard)
  events(): Observable<MessageEvent> {
    return concat(of({ id: '1', data: 'on' }), NEVER);
  }

  @Sse('finished')
  @UseGuards(AuthGuard, OpenStreamsGuard)
  finished(): Observable<MessageEvent> {
    return of({ id: '1', data: 'on' });
  }

  @Sse('failed')
  @UseGuards(AuthGuard, OpenStreamsGuard)
  failed(): Observable<MessageEvent> {
    return throwError(() => new NotFoundException());
  }

  @Sse('refused')
  @UseGuards(AuthGuard, OpenStreamsGuard, RefusingGuard)
  refused(): Observable<MessageEvent> {
    return NEVER;
  }
}

/** The real counter, which also tells when a place is given back, and can be held up while it takes one. */
class WatchedOpenStreams extends InProcessOpenStreams {
  released = Promise.withResolvers<void>();
  entered = Promise.withResolvers<void>();
  gate: Promise<void> = Promise.resolve();

  override async acquire(owner: Owner): Promise<Release> {
    this.entered.resolve();
    await this.gate;
    const release = await super.acquire(owner);
    return () => {
      release();
      this.released.resolve();
    };
  }
}

const running: INestApplication[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

async function serve(limits: ThrottlingOptions, imports: Type[] = []) {
  const auth = AuthModule.forRoot({
    kind: 'host',
    principalOf: ({ headers }) =>
      headers['x-user'] ? { userId: String(headers['x-user']), tenant: 'acme', roles: [] } : undefined,
  });
  @Module({ imports: [auth, ThrottlingModule.forRoot(limits), ...imports], controllers: [ChatController] })
  class AppModule {}
  const streams = new WatchedOpenStreams(limits.openStreams ?? 20);
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(OpenStreams)
    .useValue(streams)
    .compile();
  const app = module.createNestApplication({ forceCloseConnections: true, logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  running.push(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const open = (method: string, path: string, user = 'ada') => {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${port}${path}`;
    const response = fetch(url, { method, headers: { 'x-user': user }, signal: abort.signal });
    return response.then((answer) => ({ answer, leave: () => abort.abort() }));
  };
  return { app, port, streams, open };
}

describe('run starts', () => {
  it('have one budget per principal over all routes, and say what is left of it', async () => {
    const { open } = await serve({ startsPerMinute: 3 });
    const first = await open('POST', '/runs');
    expect(first.answer.headers.get('x-ratelimit-limit')).toBe('3');
    expect(first.answer.headers.get('x-ratelimit-remaining')).toBe('2');
    expect((await open('POST', '/chat')).answer.headers.get('x-ratelimit-remaining')).toBe('1');
    expect((await open('POST', '/runs')).answer.status).toBe(201);
    for (const path of ['/runs', '/chat']) expect((await open('POST', path)).answer.status).toBe(429);
  });

  it('beyond the budget get a 429 in JSON, before any stream, that says when to come back', async () => {
    const { open } = await serve({ startsPerMinute: 1 });
    await open('POST', '/runs');
    const { answer } = await open('POST', '/chat');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('content-type')).toMatch('application/json');
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(await answer.json()).toEqual({ code: 'RATE_LIMITED', retryAfterSeconds: seconds });
  });

  it('of one principal cost no other, although both come from one address', async () => {
    const { open } = await serve({ startsPerMinute: 1 });
    await open('POST', '/runs', 'ada');
    expect((await open('POST', '/runs', 'ada')).answer.status).toBe(429);
    expect((await open('POST', '/runs', 'bob')).answer.status).toBe(201);
  });

  it('are counted apart from those of a host’s own throttler', async () => {
    @Controller('orders')
    class OrdersController {
      @Get()
      @UseGuards(ThrottlerGuard)
      list(): object {
        return {};
      }
    }
    @Module({
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: 2 }])],
      controllers: [OrdersController],
    })
    class HostModule {}
    const { open } = await serve({ startsPerMinute: 1 }, [HostModule]);
    expect((await open('GET', '/orders')).answer.headers.get('x-ratelimit-limit')).toBe('2');
    expect((await open('POST', '/runs')).answer.headers.get('x-ratelimit-limit')).toBe('1');
    expect((await open('POST', '/runs')).answer.status).toBe(429);
    expect((await open('GET', '/orders')).answer.status).toBe(200);
  });
});

describe('open streams', () => {
  it('beyond the cap get a 429 in JSON with Retry-After, over all routes', async () => {
    const { open } = await serve({ openStreams: 2 });
    expect((await open('GET', '/events')).answer.status).toBe(200);
    expect((await open('POST', '/chat')).answer.status).toBe(200);
    const { answer } = await open('GET', '/events');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('content-type')).toMatch('application/json');
    expect(await answer.json()).toEqual({ code: 'TOO_MANY_STREAMS', retryAfterSeconds: 5 });
    expect((await open('GET', '/events', 'bob')).answer.status).toBe(200);
  });

  it('beyond the cap get that status also when counting takes a while', async () => {
    const { open, streams } = await serve({ openStreams: 1 });
    await open('GET', '/events');
    streams.entered = Promise.withResolvers();
    const gate = Promise.withResolvers<void>();
    streams.gate = gate.promise;
    const late = open('GET', '/events');
    await streams.entered.promise;
    // Longer than Nest waits before it commits a stream's headers.
    setTimeout(gate.resolve, 20);
    expect((await late).answer.status).toBe(429);
  });

  it('give their place back when the client leaves', async () => {
    const { open, streams } = await serve({ openStreams: 1 });
    const { leave } = await open('GET', '/events');
    leave();
    await streams.released.promise;
    expect(streams.principals).toBe(0);
    expect((await open('GET', '/events')).answer.status).toBe(200);
  });

  it.each(['/finished', '/failed', '/refused'])(
    'give their place back when %s ends by itself',
    async (path) => {
      const { open, streams } = await serve({ openStreams: 1 });
      const { answer } = await open('GET', path);
      await answer.text();
      await streams.released.promise;
      expect(streams.principals).toBe(0);
    },
  );

  it('give their place back when the client leaves before they begin', async () => {
    const { app, port, streams } = await serve({ openStreams: 1 });
    const gate = Promise.withResolvers<void>();
    streams.gate = gate.promise;
    const connected = once(app.getHttpServer(), 'connection');
    const outgoing = httpRequest({ host: '127.0.0.1', port, path: '/events', headers: { 'x-user': 'ada' } });
    outgoing.on('error', () => {}).end();
    const [socket] = (await connected) as [Socket];
    await streams.entered.promise;
    const gone = once(socket, 'close');
    outgoing.destroy();
    await gone;
    gate.resolve();
    await streams.released.promise;
    expect(streams.principals).toBe(0);
  });
});
