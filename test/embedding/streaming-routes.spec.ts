import { describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { defaultIfEmpty, map, type Observable } from 'rxjs';
import { ChatModule } from '../../src/chat/chat.module.js';
import { AppError } from '../../src/errors.js';
import { SseStreams } from '../../src/http/sse-streams.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { gate, type Play } from '../support/chat.server.js';
import type { StreamRequest } from '../support/event-stream.js';
import { nineWords } from '../support/plays.js';
import { until } from '../support/until.js';
import { FRAMEWORKS, hostServers, type Framework, type HostServer } from './host.server.js';

/** Wraps every answer, also none, and knows nothing of streams. */
@Injectable()
class EnvelopeInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      defaultIfEmpty(null),
      map((value: unknown) => ({ enveloped: value })),
    );
  }
}

/** Sets a header, as a host's guards do. */
@Injectable()
class HeaderGuard implements CanActivate {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  canActivate(context: ExecutionContext): boolean {
    this.adapterHost.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'X-Host', 'was here');
    return true;
  }
}

function hostWith(chat: ReturnType<typeof ChatModule.forRoot>) {
  @Module({
    imports: [chat],
    providers: [
      { provide: APP_GUARD, useClass: HeaderGuard },
      { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor },
    ],
  })
  class HostModule {}
  return HostModule;
}

/** Behaviour of the storage: at once, later than a turn of the event loop, or a failure then. */
type Mood = 'quick' | 'slow' | 'failing';

class Moods {
  runs: Mood = 'quick';
  log: Mood = 'quick';
}

/** The same storage, as another process reaches it over a network that has its moods. */
function overNetwork(storage: MemoryStorage, moods: Moods): Storage {
  const moody = <T extends object>(part: T, moodNow: () => Mood): T =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...parameters: unknown[]) => {
          const mood = moodNow();
          if (mood !== 'quick') await new Promise((resolve) => setTimeout(resolve, 20));
          if (mood === 'failing') throw new AppError('STORAGE_FAILED', 'The database is away.');
          return value.apply(target, parameters) as unknown;
        };
      },
    });
  return Object.assign(Object.create(storage) as Storage, {
    runs: moody(storage.runs, () => moods.runs),
    log: moody(storage.log, () => moods.log),
  });
}

interface Request extends StreamRequest {
  readonly path: string;
}

/** A request to the routes. */
interface Asked {
  /** Of a run that goes on. */
  readonly runId: string;
  readonly threadId: string;
}

interface Route {
  readonly name: string;
  readonly starts?: true;
  /** Its first frame comes from the run's record, before its log is read. */
  readonly opensFromRecord?: true;
  readonly request: (asked: Asked) => Request;
  /** A request that the handler refuses after it has asked the storage, and the expected reply. */
  readonly refused?: { readonly asked: Asked | 'busy'; readonly headers?: Record<string, string> } & (
    | { readonly status: number; readonly code?: string }
    | { readonly status: 200; readonly rpcCode: number }
    | { readonly status: 200; readonly event: string }
  );
}

const UNKNOWN = { runId: 'unknown', threadId: 'unknown' };
const KEY_IN_USE = { 'idempotency-key': 'in-use' };
const post = (path: string, body: unknown): Request => ({ path, method: 'POST', body });
const runInput = ({ threadId, runId }: Asked) => ({
  threadId,
  runId: `client-${runId}`,
  messages: [{ id: 'm1', role: 'user', content: 'hello' }],
});
const human = { messages: [{ type: 'human', content: 'hello' }] };
const call = (method: string, params: unknown) =>
  post('/protocols/a2a', { jsonrpc: '2.0', id: 1, method, params });

const ROUTES: readonly Route[] = [
  {
    name: 'POST api/chat',
    starts: true,
    opensFromRecord: true,
    request: ({ threadId }) =>
      post('/api/chat', { message: 'hello', ...(threadId !== 'new' && { threadId }) }),
    refused: { asked: UNKNOWN, status: 404, code: 'NOT_FOUND' },
  },
  {
    name: 'GET api/chat/runs/:runId/events',
    opensFromRecord: true,
    request: ({ runId }) => ({ path: `/api/chat/runs/${runId}/events` }),
    refused: { asked: UNKNOWN, status: 404, code: 'NOT_FOUND' },
  },
  {
    name: 'POST ai-sdk/chat',
    starts: true,
    request: ({ threadId: id }) =>
      post('/protocols/ai-sdk/chat', {
        id,
        messages: [{ id: 'm1', role: 'user', parts: [{ type: 'text', text: 'hello' }] }],
      }),
    refused: { asked: 'busy', status: 409, code: 'THREAD_BUSY' },
  },
  {
    name: 'GET ai-sdk/chat/:chatId/stream',
    request: ({ threadId }) => ({ path: `/protocols/ai-sdk/chat/${threadId}/stream` }),
    refused: { asked: UNKNOWN, status: 204 },
  },
  {
    name: 'POST ag-ui',
    starts: true,
    request: (asked) => post('/protocols/ag-ui', runInput(asked)),
    refused: { asked: 'busy', status: 409, code: 'THREAD_BUSY' },
  },
  {
    name: 'POST ag-ui/connect',
    request: (asked) => post('/protocols/ag-ui/connect', runInput(asked)),
  },
  {
    name: 'POST copilotkit/agent/:agentId/run',
    starts: true,
    request: (asked) => post('/protocols/ag-ui/copilotkit/agent/default/run', runInput(asked)),
    refused: { asked: 'busy', status: 409, code: 'THREAD_BUSY' },
  },
  {
    name: 'POST copilotkit/agent/:agentId/connect',
    request: (asked) => post('/protocols/ag-ui/copilotkit/agent/default/connect', runInput(asked)),
  },
  {
    name: 'POST langgraph/threads/:threadId/runs/stream',
    starts: true,
    request: ({ threadId }) =>
      post(`/protocols/langgraph/threads/${threadId}/runs/stream`, {
        assistant_id: 'scripted',
        if_not_exists: 'create',
        input: human,
      }),
    refused: { asked: 'busy', status: 409, code: 'THREAD_BUSY' },
  },
  {
    name: 'POST langgraph/runs/stream',
    starts: true,
    request: () => post('/protocols/langgraph/runs/stream', { assistant_id: 'scripted', input: human }),
    refused: { asked: UNKNOWN, headers: KEY_IN_USE, status: 422, code: 'IDEMPOTENCY_CONFLICT' },
  },
  {
    name: 'GET langgraph/threads/:threadId/runs/:runId/stream',
    request: ({ threadId, runId }) => ({
      path: `/protocols/langgraph/threads/${threadId}/runs/${runId}/stream`,
    }),
    refused: { asked: UNKNOWN, status: 200, event: 'error' },
  },
  {
    name: 'GET langgraph/runs/:runId/stream',
    request: ({ runId }) => ({ path: `/protocols/langgraph/runs/${runId}/stream` }),
    refused: { asked: UNKNOWN, status: 200, event: 'error' },
  },
  {
    name: 'POST langgraph/threads/:threadId/stream/events',
    opensFromRecord: true,
    request: ({ threadId }) =>
      post(`/protocols/langgraph/threads/${threadId}/stream/events`, { channels: ['messages', 'lifecycle'] }),
  },
  {
    name: 'POST openai/v1/chat/completions',
    starts: true,
    request: () =>
      post('/protocols/openai/v1/chat/completions', {
        model: 'scripted',
        stream: true,
        messages: [{ role: 'user', content: 'hello' }],
      }),
    refused: { asked: UNKNOWN, headers: KEY_IN_USE, status: 422, code: 'IDEMPOTENCY_CONFLICT' },
  },
  {
    name: 'POST openai/v1/responses',
    starts: true,
    request: ({ threadId: conversation }) =>
      post('/protocols/openai/v1/responses', {
        model: 'scripted',
        input: 'hello',
        stream: true,
        conversation,
      }),
    refused: { asked: 'busy', status: 409, code: 'THREAD_BUSY' },
  },
  {
    name: 'GET openai/v1/responses/:responseId',
    request: ({ runId }) => ({ path: `/protocols/openai/v1/responses/resp_${runId}?stream=true` }),
    refused: { asked: UNKNOWN, status: 404, code: 'NOT_FOUND' },
  },
  {
    name: 'POST a2a SendStreamingMessage',
    starts: true,
    request: ({ threadId: contextId, runId }) =>
      call('SendStreamingMessage', {
        message: { messageId: `m-${runId}`, contextId, role: 'ROLE_USER', parts: [{ text: 'hello' }] },
      }),
    refused: { asked: 'busy', status: 200, rpcCode: -32004 },
  },
  {
    name: 'POST a2a SubscribeToTask',
    request: ({ runId: id }) => call('SubscribeToTask', { id }),
    refused: { asked: UNKNOWN, status: 200, rpcCode: -32001 },
  },
];

const withRefusal = ROUTES.flatMap(({ refused, ...route }) => (refused ? [{ ...route, refused }] : []));
const fromLog = ROUTES.filter(({ opensFromRecord }) => !opensFromRecord);
const gets = ROUTES.filter(({ request }) => request(UNKNOWN).method === undefined);

describe.each(FRAMEWORKS)(
  'streaming routes on %s below a global enveloping interceptor',
  (framework: Framework) => {
    const start = hostServers();

    /** A process that works on runs, and one in front of it that answers requests; both on one storage. */
    async function serve() {
      const [storage, moods, held] = [new MemoryStorage(), new Moods(), gate()];
      const play: Play = (input, context) =>
        input.message === 'wait' ? held.opened : nineWords(input, context);
      const common = {
        agents: () => [new ScriptedAgent(play)],
        auth: { kind: 'local' },
        drainMs: 0,
      } as const;
      const worker = await start(ChatModule.forRoot({ ...common, storage }));
      const front = await start(
        hostWith(
          ChatModule.forRoot({
            ...common,
            storage: overNetwork(storage, moods),
            worker: false,
            protocols: {},
          }),
        ),
        { framework },
      );
      const run = { method: 'POST', body: { message: 'wait' }, headers: KEY_IN_USE };
      const { body: busy } = await worker.call('POST', '/api/chat/runs', run);
      return { front, moods, held, busy: busy as unknown as Asked };
    }

    const getStreams = ({ app }: HostServer) => app.get(SseStreams, { strict: false });
    const NEW = { runId: 'new', threadId: 'new' };

    it.each(ROUTES)(
      'streams the frames of $name without an envelope, and with the headers of guards',
      async (route) => {
        const { front, held, busy } = await serve();
        const { path, ...request } = route.request(route.starts ? NEW : busy);
        const stream = await front.stream(path, request);
        expect(stream.status).toBe(200);
        expect(stream.response.headers).toMatchObject({
          'content-type': 'text/event-stream',
          'x-accel-buffering': 'no',
          'x-host': 'was here',
          ...(route.starts && { 'x-ratelimit-limit': expect.stringMatching(/^\d+$/) }),
        });
        held.open();
        await stream.until(() => stream.raw.includes('data: '));
        stream.leave();
        await until(() => getStreams(front).size === 0);
        expect(stream.raw).not.toContain('enveloped');
      },
    );

    it.each(withRefusal)('answers a late refusal of $name with its status', async ({ request, refused }) => {
      const { front, moods, busy } = await serve();
      moods.runs = 'slow';
      const {
        path,
        method = 'GET',
        body,
      } = request(refused.asked === 'busy' ? { ...busy, runId: 'other' } : refused.asked);
      const reply = await front.call(method, path, {
        body,
        ...(refused.headers && { headers: refused.headers }),
      });
      expect(reply.status).toBe(refused.status);
      if ('rpcCode' in refused) expect(reply.body).toMatchObject({ error: { code: refused.rpcCode } });
      else if ('event' in refused) expect(reply.text).toContain(`event: ${refused.event}\ndata: `);
      else if (refused.code) expect(readCode(reply)).toEqual(refusalWith(refused.code));
      expect(reply.headers.get('x-host')).toBe('was here');
    });

    it.each(ROUTES)('answers 503 to $name when the run store fails', async (route) => {
      const { front, moods, busy } = await serve();
      moods.runs = 'failing';
      const { path, method = 'GET', body } = route.request(route.starts ? NEW : busy);
      const reply = await front.call(method, path, { body });
      // JSON-RPC has its errors in the body.
      if (path === '/protocols/a2a') expect(reply.body).toMatchObject({ error: { code: -32603 } });
      else expect(reply.status).toBe(503);
      await until(() => getStreams(front).size === 0);
    });

    it.each(fromLog)('answers 503 to $name when the feed fails before its first frame', async (route) => {
      const { front, moods, busy } = await serve();
      moods.log = 'failing';
      const { path, method = 'GET', body } = route.request(route.starts ? NEW : busy);
      const reply = await front.call(method, path, { body });
      expect(reply.status).toBe(503);
      expect(readCode(reply)).toEqual(refusalWith('STORAGE_FAILED'));
    });

    it.each(gets)(
      'answers HEAD for $name with the headers of GET, and ends',
      async ({ request, refused }) => {
        const { front, moods, busy } = await serve();
        moods.runs = 'slow';
        const head = await front.call('HEAD', request(busy).path);
        expect(head.status).toBe(200);
        expect(head.headers.get('content-type')).toBe('text/event-stream');
        expect((await front.call('HEAD', request(UNKNOWN).path)).status).toBe(refused!.status);
        await until(() => getStreams(front).size === 0);
      },
    );
  },
);

/** LangGraph's words have no code beside them, and OpenAI's have it in an object. */
function readCode({ headers, body }: Awaited<ReturnType<HostServer['call']>>): unknown {
  return headers.get('problem-code') ?? body['code'] ?? body['error'];
}

/** A problem says its code at once; OpenAI's words have it inside of `error`. */
function refusalWith(code: string): unknown {
  const asymmetric: { asymmetricMatch(value: unknown): boolean } = {
    asymmetricMatch: (value) => value === code || (value as { code?: unknown } | undefined)?.code === code,
  };
  return asymmetric;
}
