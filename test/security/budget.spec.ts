import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModulesContainer } from '@nestjs/core';
import { RunService } from '../../src/runs/run.service.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';
import { RunStartThrottlerGuard } from '../../src/throttling/run-start-throttler.guard.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, type ChatServer, type ChatServerOptions, type Play } from '../support/chat.server.js';
import { postJson } from '../support/post-json.js';

/** A way to start a run: its route as the API's description has it, and a request that makes a run each time it is sent. */
interface Way {
  readonly name: string;
  readonly route: string;
  readonly request: (turn: string) => { readonly path?: string; readonly body: unknown };
}

const text = (content: string) => [{ role: 'user', content }];
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const uiMessage = (turn: string) => ({
  id: `m-${turn}`,
  role: 'user',
  parts: [{ type: 'text', text: 'hello' }],
});

function a2a(method: string, message: (turn: string) => object): Way {
  return {
    name: `A2A ${method}`,
    route: '/protocols/a2a',
    request: (turn) => ({ body: { jsonrpc: '2.0', id: 1, method, params: { message: message(turn) } } }),
  };
}
const message1 = (turn: string) => ({ messageId: turn, role: 'ROLE_USER', parts: [{ text: 'hello' }] });
const message03 = (turn: string) => ({
  kind: 'message',
  messageId: turn,
  role: 'user',
  parts: [{ kind: 'text', text: 'hello' }],
});

function openAi(name: string, stream: boolean): Way {
  const isChat = name === 'chat/completions';
  return {
    name: `OpenAI ${name}, ${stream ? 'streamed' : 'whole'}`,
    route: `/protocols/openai/v1/${name}`,
    request: () => ({
      body: { model: 'scripted', stream, ...(isChat ? { messages: text('hello') } : { input: 'hello' }) },
    }),
  };
}

const agUi = (turn: string) => ({
  threadId: turn,
  runId: turn,
  messages: [{ id: turn, role: 'user', content: 'hello' }],
  tools: [],
  context: [],
  state: {},
  forwardedProps: {},
});

const WAYS: readonly Way[] = [
  { name: 'native, streamed', route: '/api/chat', request: () => ({ body: { message: 'hello' } }) },
  { name: 'native', route: '/api/chat/runs', request: () => ({ body: { message: 'hello' } }) },
  {
    name: 'AI SDK',
    route: '/protocols/ai-sdk/chat',
    request: (turn) => ({ body: { id: turn, messages: [uiMessage(turn)], trigger: 'submit-message' } }),
  },
  { name: 'AG-UI', route: '/protocols/ag-ui', request: (turn) => ({ body: agUi(turn) }) },
  {
    name: 'CopilotKit',
    route: '/protocols/ag-ui/copilotkit/agent/{agentId}/run',
    request: (turn) => ({ path: '/protocols/ag-ui/copilotkit/agent/scripted/run', body: agUi(turn) }),
  },
  {
    name: 'LangGraph run.start',
    route: '/protocols/langgraph/threads/{threadId}/commands',
    request: (turn) => ({
      path: `/protocols/langgraph/threads/${turn}/commands`,
      body: { id: 1, method: 'run.start', params: { assistant_id: 'scripted', input: human('hello') } },
    }),
  },
  ...Object.entries({ streamed: '/stream', waited: '/wait', created: '' }).flatMap(([how, path]): Way[] => {
    const body = { assistant_id: 'scripted', if_not_exists: 'create', input: human('hello') };
    return [
      {
        name: `LangGraph, ${how} in a thread`,
        route: `/protocols/langgraph/threads/{threadId}/runs${path}`,
        request: (turn) => ({ path: `/protocols/langgraph/threads/${turn}/runs${path}`, body }),
      },
      {
        name: `LangGraph, ${how} alone`,
        route: `/protocols/langgraph/runs${path}`,
        request: () => ({ body }),
      },
    ];
  }),
  {
    name: 'LangGraph, a batch',
    route: '/protocols/langgraph/runs/batch',
    request: () => ({ body: [{ assistant_id: 'scripted', input: human('hello') }] }),
  },
  openAi('chat/completions', true),
  openAi('chat/completions', false),
  openAi('responses', true),
  openAi('responses', false),
  a2a('SendStreamingMessage', message1),
  a2a('SendMessage', message1),
  a2a('message/stream', message03),
  a2a('message/send', message03),
];

const BUDGET = 3;

const brief: Play = (_, context) => {
  for (const event of createAnswer(context, ['hi'])) void context.emit(event);
};

let database: SharedPostgres;
beforeAll(async () => {
  database = await PostgresServer.shared();
});
afterAll(() => database?.stop());

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A storage, which brings what counts its starts. */
const STORAGES: readonly (readonly [string, () => Pick<ChatServerOptions, 'storage' | 'throttling'>])[] = [
  [
    'SQLite',
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'budget-'));
      directories.push(directory);
      return { storage: new SqliteStorage({ directory }), throttling: { startsPerMinute: BUDGET } };
    },
  ],
  [
    'PostgreSQL',
    () => {
      const storage = new PostgresStorage({ url: database.url, schema: schemaName(), poolSize: 3 });
      return { storage, throttling: { startsPerMinute: BUDGET } };
    },
  ],
];

describe('budget of run starts', () => {
  const start = chatServers();
  let turns = 0;

  /** Posts, and reads the reply to its end. */
  const post = async (...request: Parameters<typeof postJson>) => {
    const response = await postJson(...request);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  const runsIn = async (storage: Storage) =>
    (await storage.runs.listThreads({ userId: 'local', tenant: 'local' }, { limit: 100 })).items.length;

  it('limits every route that starts a run', async () => {
    const server = await start({ protocols: {} });
    const limited = routesWith(server, RunStartThrottlerGuard);
    expect(limited.sort()).toEqual([...new Set(WAYS.map(({ route }) => route))].sort());
    expect(WAYS).toHaveLength(21);
  });

  describe.each(STORAGES)('budget on %s', (_storage, options) => {
    it.each(WAYS.map((way) => [way.name, way] as const))(
      'spends the budget of run starts by %s, whatever event id comes along',
      async (_name, { route, request }) => {
        const server = await start({ play: brief, protocols: {}, ...options() });
        // The native routes and AG-UI honour the id: one that names no run is refused there, and starts none.
        const send = (query = '', headers: Record<string, string> = {}) => {
          const { path = route, body } = request(`turn-${(turns += 1)}`);
          return post(`${server.origin}${path}${query}`, body, headers);
        };
        for (let index = 0; index < 5; index += 1) {
          await send('', { 'last-event-id': 'x' });
          await send('?lastEventId=x');
        }
        expect(await runsIn(server.storage)).toBeLessThanOrEqual(BUDGET);
        for (let index = 0; index <= BUDGET; index += 1) await send();
        expect(await runsIn(server.storage)).toBe(BUDGET);
        const refused = await send('', { 'last-event-id': 'x' });
        if (refused.status === 400) return;
        expect(refused.status).toBe(429);
        expect(refused.headers.get('content-type')).toContain('json');
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(refused.headers.get('x-ratelimit-limit')).toBe(String(BUDGET));
        expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
      },
    );

    it('reports the remaining starts, counts a repeated request once, and still returns its run at zero', async () => {
      const server = await start({ play: brief, ...options() });
      const keyed = (key: string, message = 'hello') =>
        server.call('POST', '/runs', { message }, { 'idempotency-key': key });
      const first = await keyed('a');
      expect(first.headers.get('x-ratelimit-remaining')).toBe('2');
      for (let index = 0; index < 10; index += 1) expect((await keyed('a')).body).toEqual(first.body);
      expect((await keyed('b')).status).toBe(202);
      expect((await keyed('c')).status).toBe(202);
      expect((await keyed('d')).status).toBe(429);
      expect((await keyed('a')).body).toEqual(first.body);
      expect(await keyed('a', 'something else')).toMatchObject({ status: 422 });
      expect(await runsIn(server.storage)).toBe(BUDGET);
    });

    it('counts no start for a reader that returns with its last event id', async () => {
      const server = await start({ play: brief, ...options() });
      const { runId } = await server.finishedRun();
      for (let index = 0; index < 10; index += 1) {
        const again = await server.ask({ message: 'the same' }, { 'last-event-id': `${runId}.1.1` });
        expect(again.status).not.toBe(429);
        await again.closed();
      }
      expect((await server.call('POST', '/runs', { message: 'another' })).status).toBe(202);
    });

    it('counts a message to a run that is under way, once for each id, and asks the host about none that it refuses', async () => {
      const asked: string[] = [];
      const server = await start({
        agents: () => [
          new ScriptedAgent(
            (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
            {
              isSteerable: true,
            },
          ),
        ],
        hooks: { beforeRun: ({ message }) => void asked.push(message) },
        ...options(),
      });
      const { runId } = await server.startRun({ message: 'hello' });
      const send = (id: string) => server.call('POST', `/runs/${runId}/messages`, { message: id, id });
      for (const id of ['a', 'b', 'a', 'b']) expect((await send(id)).status).toBe(202);
      const refused = await send('c');
      expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await send('a')).status).toBe(202);
      expect((await server.call('POST', '/runs', { message: 'another' })).status).toBe(429);
      expect(asked).toEqual(['hello', 'a', 'b']);
      await server.call('POST', `/runs/${runId}/cancel`);
    });

    it('gives a start back for a message that its run does not take', async () => {
      const server = await start({
        agents: () => [new ScriptedAgent(brief, { isSteerable: true })],
        ...options(),
      });
      const { runId } = await server.finishedRun();
      for (let index = 0; index < 5; index += 1) {
        const refused = await server.call('POST', `/runs/${runId}/messages`, { message: 'late' });
        expect(refused).toMatchObject({ status: 409, body: { code: 'RUN_CLOSED' } });
      }
      for (let index = 1; index < BUDGET; index += 1)
        expect((await server.call('POST', '/runs', { message: 'another' })).status).toBe(202);
    });

    it('admits no start above the budget when twelve come at the same moment', async () => {
      const server = await start({ play: brief, protocols: {}, ...options() });
      await Promise.all(
        Array.from({ length: 12 }, () =>
          post(`${server.origin}/protocols/openai/v1/responses?lastEventId=x`, {
            model: 'scripted',
            input: 'hello',
          }),
        ),
      );
      expect(await runsIn(server.storage)).toBe(BUDGET);
    });

    it('counts starts by RunService.start unless the call says counted: false', async () => {
      const server = await start({ play: brief, ...options() });
      const runs = server.app.get(RunService, { strict: false });
      const request = { principal: { userId: 'job', tenant: 'acme', roles: [] }, message: 'hello' };
      for (let index = 0; index < BUDGET; index += 1) await runs.start(request);
      await expect(runs.start(request)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      await expect(runs.start(request, { counted: false })).resolves.toMatchObject({ message: 'hello' });
    });
  });

  it('returns the task of a repeated A2A message after the budget is spent', async () => {
    const server = await start({
      play: brief,
      protocols: {},
      storage: new MemoryStorage(),
      throttling: { startsPerMinute: 1 },
    });
    const { body } = a2a('SendMessage', message1).request('the-same');
    const send = () => post(`${server.origin}/protocols/a2a`, body);
    const first = JSON.parse((await send()).text) as { result: { task: { id: string } } };
    const again = await send();
    expect(again.status).toBe(200);
    expect(JSON.parse(again.text)).toMatchObject({ result: { task: { id: first.result.task.id } } });
  });
});

/** The paths of all routes that this guard, or one that extends it, is bound to. */
function routesWith(server: ChatServer, guard: new (...all: never[]) => object): string[] {
  const paths = new Set<string>();
  for (const { controllers } of server.app.get(ModulesContainer).values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const base = String(Reflect.getMetadata('path', metatype));
      for (const handler of listMethods(metatype.prototype as object)) {
        const guards = (Reflect.getMetadata('__guards__', handler) ?? []) as { prototype?: unknown }[];
        const isBound = guards.some((each) => Object(each) === guard || each.prototype instanceof guard);
        const path = Reflect.getMetadata('path', handler) as string | undefined;
        if (isBound && path !== undefined) paths.add(describePath(`/${base}/${path}`));
      }
    }
  }
  return [...paths];
}

function listMethods(prototype: object | null): object[] {
  if (!prototype || prototype === Object.prototype) return [];
  const own = Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }) =>
    typeof value === 'function' ? [value as object] : [],
  );
  return [...own, ...listMethods(Object.getPrototypeOf(prototype) as object | null)];
}

function describePath(path: string): string {
  return path
    .replace(/\/+/g, '/')
    .replace(/(.)\/$/, '$1')
    .replace(/:(\w+)/g, '{$1}');
}
