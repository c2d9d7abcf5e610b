import { once } from 'node:events';
import { createServer, request, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLog } from './log.js';
import { NestLog } from './log-nest.js';
import { requestLog } from './log-requests.js';

type Line = Record<string, unknown>;

function capture(level: 'info' | 'debug' = 'info') {
  const lines: Line[] = [];
  const written = new EventTarget();
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Line);
      written.dispatchEvent(new Event('line'));
      done();
    },
  });
  return { log: createLog({ level }, destination), lines, line: once(written, 'line') };
}

/** The line that is logged for one request; `leave` drops the connection once the answer has begun. */
async function lineFor(
  path: string,
  answer: RequestListener,
  { leave = false, prompts = false, body }: { leave?: boolean; prompts?: boolean; body?: object } = {},
): Promise<Line | undefined> {
  const { log, lines, line } = capture('debug');
  const logged = requestLog(log, { prompts });
  const server = createServer((incoming, response) => {
    // As the body parser leaves it.
    Object.assign(incoming, { body });
    logged(incoming, response);
    answer(incoming, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const headers = { authorization: 'Bearer hunter2', cookie: 'session=hunter2', 'x-api-key': 'hunter2' };
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  outgoing.on('response', (response) => (leave ? response.destroy() : response.resume()));
  await line;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return lines[0];
}

describe('requestLog', () => {
  it('logs one line a request, with the run, and neither query, headers nor credentials', async () => {
    const line = await lineFor('/api/chat/runs/run_1/events?ticket=hunter2', (_request, response) =>
      response.end(),
    );
    expect(line).toMatchObject({
      level: 'info',
      method: 'GET',
      path: '/api/chat/runs/run_1/events',
      status: 200,
      runId: 'run_1',
      durationMs: expect.any(Number),
      address: '127.0.0.1',
    });
    expect(JSON.stringify(line)).not.toMatch(/hunter2|headers|ticket/);
  });

  it('logs the id of the run that the request started', async () => {
    const line = await lineFor('/api/chat', (_request, response) => {
      response.setHeader('Content-Location', '/api/chat/runs/run_2/events');
      response.end();
    });
    expect(line).toMatchObject({ path: '/api/chat', runId: 'run_2' });
  });

  it("logs the user's message only when prompts are enabled", async () => {
    const body = { message: 'Who am I?' };
    const silent = await lineFor('/api/chat', (_request, response) => response.end(), { body });
    expect(JSON.stringify(silent)).not.toContain('Who am I?');
    const open = await lineFor('/api/chat', (_request, response) => response.end(), { body, prompts: true });
    expect(open).toMatchObject({ prompt: 'Who am I?' });
  });

  it('says that the client left when a stream is closed early', async () => {
    const line = await lineFor(
      '/api/chat/threads/thread_3',
      (_request, response) => response.write(': open\n\n'),
      {
        leave: true,
      },
    );
    expect(line).toMatchObject({
      threadId: 'thread_3',
      msg: 'GET /api/chat/threads/thread_3 left by the client',
    });
  });

  it.each([
    ['/health/ready', 503, 'debug'],
    ['/assets/chat.js', 200, 'debug'],
    ['/api/chat', 429, 'info'],
    ['/protocols/a2a', 401, 'info'],
    ['/protocols/openai/v1/responses', 429, 'info'],
    ['/api/chat', 500, 'error'],
  ])('logs a request to %s with status %i at level %s', async (path, status, level) => {
    const line = await lineFor(path, (_request, response) => response.writeHead(status).end());
    expect(line).toMatchObject({ level, status });
  });
});

describe('NestLog', () => {
  it('logs fields at the top level and the class as context', () => {
    const { log, lines } = capture();
    new NestLog(log).log('run started', { runId: 'run_1', threadId: 'thread_1' }, 'RunWorker');
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'run started',
        runId: 'run_1',
        threadId: 'thread_1',
        context: 'RunWorker',
      }),
    ]);
  });

  it('accepts fields before the message as well', () => {
    const { log, lines } = capture();
    new NestLog(log).error(
      { err: new Error('broken'), code: 'INTERNAL' },
      'The request failed.',
      'ProblemFilter',
    );
    expect(lines[0]).toMatchObject({
      msg: 'The request failed.',
      err: { message: 'broken' },
      context: 'ProblemFilter',
    });
  });

  it('keeps the causes of an error and drops its other properties', () => {
    const { log, lines } = capture();
    const cause = Object.assign(new Error('401'), {
      headers: { authorization: 'hunter2' },
      prompt: 'hunter2',
    });
    new NestLog(log).error('model failed', new TypeError('call failed', { cause }), 'Model');
    expect(lines[0]).toMatchObject({
      level: 'error',
      msg: 'model failed',
      err: { type: 'TypeError', message: 'call failed', cause: { message: '401' } },
    });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it("keeps the stack that Nest's exception handler passes as a string", () => {
    const { log, lines } = capture();
    new NestLog(log).error('broken', 'Error: broken\n    at here (file.js:1:1)', 'ExceptionsHandler');
    expect(lines[0]).toMatchObject({
      msg: 'broken',
      stack: expect.stringContaining('at here'),
      context: 'ExceptionsHandler',
    });
  });

  it("hides Nest's start-up messages unless the level is debug", () => {
    const quiet = capture('info');
    new NestLog(quiet.log).log('Mapped {/api/chat, POST} route', 'RouterExplorer');
    expect(quiet.lines).toEqual([]);
    const detailed = capture('debug');
    new NestLog(detailed.log).log('Mapped {/api/chat, POST} route', 'RouterExplorer');
    expect(detailed.lines).toHaveLength(1);
  });
});
