import { afterEach, describe, expect, it, jest } from '@jest/globals';
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
  type ExecutionContext,
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
import { getAuthentication } from '../auth/authentication.js';
import { AuthGuard } from '../auth/auth.guard.js';
import { authModule } from '../auth/auth.testing.js';
import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { StartBudget } from '../runs/start.budget.js';
import { InProcessOpenStreams } from './in-process-open-streams.js';
import { OpenStreamsGuard } from './open-streams.guard.js';
import { OpenStreams, type Release } from './open-streams.js';
import { RunStartBudget } from './run-start.budget.js';
import { RunStartThrottlerGuard } from './run-start-throttler.guard.js';
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

/** Starts a run, as far as the budget hears of it: `RunService.start` does this. */
@Injectable()
class StartingGuard implements CanActivate {
  constructor(private readonly budget: StartBudget) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.budget.take(getAuthentication(context.switchToHttp().getRequest<object>()).principal);
    return true;
  }
}

@Controller()
@UseFilters(StatusFilter)
class ChatController {
  @Post('runs')
  @UseGuards(AuthGuard, RunStartThrottlerGuard, StartingGuard)
  start(): object {
    return {};
  }

  @Sse('chat', { method: RequestMethod.POST })
  @HttpCode(200)
  @UseGuards(AuthGuard, RunStartThrottlerGuard, StartingGuard, OpenStreamsGuard)
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
  const auth = authModule({
    kind: 'host',
    getPrincipal: ({ headers }) =>
      headers['x-user'] ? { userId: String(headers['x-user']), tenant: 'acme', roles: [] } : undefined,
  });
  @Module({ imports: [auth, ThrottlingModule.forRoot(limits), ...imports], controllers: [ChatController] })
  class AppModule {}
  const streams = new WatchedOpenStreams(limits.maxOpenStreams ?? 20);
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(OpenStreams)
    .useValue(streams)
    .compile();
  const app = module.createNestApplication({ forceCloseConnections: true, logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  running.push(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const open = (method: string, path: string, user = 'ada', headers: Record<string, string> = {}) => {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${port}${path}`;
    const response = fetch(url, { method, headers: { 'x-user': user, ...headers }, signal: abort.signal });
    return response.then((answer) => ({ answer, leave: () => abort.abort() }));
  };
  return { app, port, streams, open };
}

describe('RunStartThrottlerGuard', () => {
  it('counts the run starts of a principal over all routes and sends what is left', async () => {
    const { open } = await serve({ startsPerMinute: 3 });
    const first = await open('POST', '/runs');
    expect(first.answer.headers.get('x-ratelimit-limit')).toBe('3');
    expect(first.answer.headers.get('x-ratelimit-remaining')).toBe('2');
    expect((await open('POST', '/chat')).answer.headers.get('x-ratelimit-remaining')).toBe('1');
    expect((await open('POST', '/runs')).answer.status).toBe(201);
    for (const path of ['/runs', '/chat']) expect((await open('POST', path)).answer.status).toBe(429);
  });

  it('answers a run start beyond the budget with 429 and Retry-After in JSON, before any stream', async () => {
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

  it('refuses a run start before it takes from the budget when nothing is left', async () => {
    const { app, open } = await serve({ startsPerMinute: 1 });
    await open('POST', '/runs');
    const take = jest.spyOn(app.get(RunStartBudget, { strict: false }), 'take');
    expect((await open('POST', '/runs')).answer.status).toBe(429);
    expect(take).not.toHaveBeenCalled();
  });

  it.each([
    ['a Last-Event-ID', '/runs', { 'last-event-id': 'x' }],
    ['a lastEventId', '/runs?lastEventId=x', {}],
    ['an Idempotency-Key', '/runs', { 'idempotency-key': 'x' }],
  ])('counts a run start with %s', async (_, path, headers) => {
    const { open } = await serve({ startsPerMinute: 2 });
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1)
      statuses.push((await open('POST', path, 'ada', headers)).answer.status);
    expect(statuses).toEqual([201, 201, 429, 429]);
    const { answer } = await open('POST', path, 'ada', headers);
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('0');
  });

  it('allows a run start again after one was given back', async () => {
    const { app, open } = await serve({ startsPerMinute: 1 });
    await open('POST', '/runs');
    expect((await open('POST', '/runs')).answer.status).toBe(429);
    app.get(StartBudget, { strict: false }).giveBack({ userId: 'ada', tenant: 'acme' });
    expect((await open('POST', '/runs')).answer.status).toBe(201);
    expect((await open('POST', '/runs')).answer.status).toBe(429);
  });

  it('counts the starts of principals at the same address apart', async () => {
    const { open } = await serve({ startsPerMinute: 1 });
    await open('POST', '/runs', 'ada');
    expect((await open('POST', '/runs', 'ada')).answer.status).toBe(429);
    expect((await open('POST', '/runs', 'bob')).answer.status).toBe(201);
  });

  it("counts run starts apart from a host's own throttler", async () => {
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

describe('OpenStreamsGuard', () => {
  it('answers 429 in JSON with Retry-After beyond the limit of open streams, over all routes', async () => {
    const { open } = await serve({ maxOpenStreams: 2 });
    expect((await open('GET', '/events')).answer.status).toBe(200);
    expect((await open('POST', '/chat')).answer.status).toBe(200);
    const { answer } = await open('GET', '/events');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('content-type')).toMatch('application/json');
    expect(await answer.json()).toEqual({ code: 'TOO_MANY_STREAMS', retryAfterSeconds: 5 });
    expect((await open('GET', '/events', 'bob')).answer.status).toBe(200);
  });

  it('answers 429 beyond the limit of open streams even if counting takes a while', async () => {
    const { open, streams } = await serve({ maxOpenStreams: 1 });
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

  it('frees the slot of a stream when the client leaves', async () => {
    const { open, streams } = await serve({ maxOpenStreams: 1 });
    const { leave } = await open('GET', '/events');
    leave();
    await streams.released.promise;
    expect(streams.principals).toBe(0);
    expect((await open('GET', '/events')).answer.status).toBe(200);
  });

  it.each(['/finished', '/failed', '/refused'])(
    'frees the slot of a stream when %s ends by itself',
    async (path) => {
      const { open, streams } = await serve({ maxOpenStreams: 1 });
      const { answer } = await open('GET', path);
      await answer.text();
      await streams.released.promise;
      expect(streams.principals).toBe(0);
    },
  );

  it('frees the slot of a stream when the client leaves before it begins', async () => {
    const { app, port, streams } = await serve({ maxOpenStreams: 1 });
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
