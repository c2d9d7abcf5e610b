import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatServiceOptions } from './chat-service.options.js';
import { ChatService } from './chat.service.js';

let server: AnswerServer;

beforeEach(async () => {
  server = await AnswerServer.listen();
});

afterEach(() => server.close());

describe('ChatService.start', () => {
  it('starts a run with an idempotency key and returns it', async () => {
    server.answers.push([202, { runId: 'r1', threadId: 't1' }]);
    const run = await chat().start('Hello', { agent: 'assistant', metadata: { a: 1 } });
    expect(run).toMatchObject({ runId: 'r1', threadId: 't1' });
    expect(server.requests).toEqual([
      expect.objectContaining({
        call: 'POST /api/chat/runs',
        key: expect.stringMatching(/^[0-9a-f]{32}$/),
        body: { message: 'Hello', agent: 'assistant', metadata: { a: 1 } },
      }),
    ]);
  });

  it('edits a message in its place, and makes an answer again without one', async () => {
    server.answers.push([202, { runId: 'r2', threadId: 't1' }], [202, { runId: 'r3', threadId: 't1' }]);
    await chat().start('Hi', { replaces: 'r1' });
    await chat().regenerate('r1', { metadata: { a: 1 } });
    expect(server.requests.map(({ body }) => body)).toEqual([
      { message: 'Hi', replaces: 'r1' },
      { replaces: 'r1', metadata: { a: 1 } },
    ]);
  });

  it('sends a start again with the same key until there is a reply', async () => {
    server.answers.push('cut', [503, {}], [202, { runId: 'r1', threadId: 't1' }]);
    await chat().start('Hello');
    const keys = server.requests.map(({ key }) => key);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('gives up starting a run after four attempts', async () => {
    server.answers.push('cut', 'cut', 'cut', 'cut');
    await expect(chat().start('Hello')).rejects.toMatchObject({ code: 'UNREACHABLE', status: 0 });
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    [409, 'THREAD_BUSY'],
    [422, 'IDEMPOTENCY_CONFLICT'],
    [429, 'RATE_LIMITED'],
  ])('does not send a start again after %i %s', async (status, code) => {
    server.answers.push([status, { code, detail: 'Not now.', runId: 'r0' }, { 'retry-after': '7' }]);
    await expect(chat().start('Hello', { idempotencyKey: 'mine' })).rejects.toMatchObject({
      status,
      code,
      message: 'Not now.',
      retryAfterMs: 7000,
      problem: { runId: 'r0' },
    });
    expect(server.requests.map(({ key }) => key)).toEqual(['mine']);
  });

  it('stops trying to start a run when its signal is aborted', async () => {
    server.answers.push('cut');
    const stop = new AbortController();
    const requested = server.nextRequest();
    const started = chat({ backoff: { baseMs: 60_000, maxMs: 60_000 } }).start('Hello', {
      signal: stop.signal,
    });
    await requested;
    stop.abort(new Error('enough'));
    await expect(started).rejects.toThrow('enough');
  });
});

describe('the other calls of ChatService', () => {
  it.each<[string, (chat: ChatService) => Promise<unknown>]>([
    ['GET /api/chat/runs/r%2F1', (chat) => chat.run('r/1')],
    ['POST /api/chat/runs/r1/cancel', (chat) => chat.cancel('r1')],
    ['POST /api/chat/runs/r1/inputs/a%2F1', (chat) => chat.answer('r1', 'a/1', { decision: 'approve' })],
    ['GET /api/chat/threads', (chat) => chat.threads()],
    ['GET /api/chat/threads?cursor=c+1&limit=5', (chat) => chat.threads({ cursor: 'c 1', limit: 5 })],
    ['GET /api/chat/threads/t1?limit=5', (chat) => chat.thread('t1', { limit: 5 })],
    ['GET /api/chat/threads/t1?runId=r1', (chat) => chat.thread('t1', { runId: 'r1' })],
    ['GET /api/chat/agents', (chat) => chat.agents()],
    ['GET /api/auth/session', (chat) => chat.session()],
    ['POST /api/auth/session', (chat) => chat.signIn('secret')],
  ])('sends %s and returns its reply', async (call, ask) => {
    server.answers.push([200, { answer: call }]);
    expect(await ask(chat())).toEqual({ answer: call });
    expect(server.requests).toEqual([expect.objectContaining({ call })]);
  });

  it.each<[string, (chat: ChatService) => Promise<unknown>]>([
    ['DELETE /api/chat/threads/t1', (chat) => chat.deleteThread('t1')],
    ['DELETE /api/auth/session', (chat) => chat.signOut()],
  ])('sends %s and returns nothing', async (call, ask) => {
    server.answers.push([204, undefined]);
    expect(await ask(chat())).toBeUndefined();
    expect(server.requests).toEqual([expect.objectContaining({ call })]);
  });

  it('rejects replies that do not come from this API', async () => {
    server.answers.push([200, '<html>'], [502, '<html>']);
    await expect(chat().threads()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', status: 200 });
    await expect(chat().threads()).rejects.toThrow('The server answered with status 502.');
  });
});

function chat(options: Partial<ChatServiceOptions> = {}): ChatService {
  return new ChatService({
    baseUrl: `${server.origin}/api/chat/`,
    backoff: { baseMs: 2, maxMs: 10 },
    ...options,
  });
}

/** Gives one of `answers` to each request, in order. */
class AnswerServer {
  readonly answers: ('cut' | [status: number, body: unknown, headers?: Record<string, string>])[] = [];
  readonly requests: { call: string; key: unknown; body: unknown }[] = [];
  private requestCame = () => {};

  private constructor(private readonly http: Server) {
    http.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void this.handle(request, response),
    );
  }

  static async listen(): Promise<AnswerServer> {
    const http = createServer();
    const server = new AnswerServer(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  nextRequest(): Promise<void> {
    return new Promise((resolve) => (this.requestCame = resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.requests.push({
      call: `${request.method} ${request.url}`,
      key: request.headers['idempotency-key'],
      body: text && (JSON.parse(text) as unknown),
    });
    const answer = this.answers.shift();
    if (!answer || answer === 'cut') {
      request.socket.destroy();
    } else {
      const [status, body, headers] = answer;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    }
    this.requestCame();
  }
}
