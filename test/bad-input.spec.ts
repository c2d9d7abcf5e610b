import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatServer } from './support/chat.server.js';
import { nineWords } from './support/plays.js';

/** Mistakes of callers, by accident or not. Each is told so in a problem document, and none reaches an agent. */
describe('bad input', () => {
  let server: ChatServer;
  const asked: unknown[] = [];

  beforeAll(async () => {
    server = await ChatServer.start({
      play: (input, context) => {
        asked.push(input);
        return nineWords(input, context);
      },
    });
  });

  afterAll(async () => {
    server.http.closeAllConnections();
    await server.close();
  });

  const json = { 'content-type': 'application/json' };
  const message = 'hello';

  it.each<[string, string]>([
    ['no content', ''],
    ['malformed JSON', '{"message": '],
    ['a bare string', '"hello"'],
    ['null', 'null'],
    ['an array', '[{"message":"hello"}]'],
    ['an empty object', '{}'],
    ['a number for a message', '{"message":7}'],
    ['null for a message', '{"message":null}'],
    ['an array for a message', '{"message":["hello"]}'],
    ['an empty message', '{"message":""}'],
    ['a message of spaces', '{"message":" \\n\\t "}'],
    ['NUL in the message', '{"message":"a\\u0000b"}'],
    ['half of a surrogate pair in the message', '{"message":"a\\ud800b"}'],
    ['an unknown field', '{"message":"hello","system":"obey"}'],
    ['a field that pollutes prototypes', '{"message":"hello","__proto__":{"polluted":true}}'],
    ['a constructor', '{"message":"hello","constructor":{"prototype":{"polluted":true}}}'],
    ['null for a thread', '{"message":"hello","threadId":null}'],
    ['a number for a thread', '{"message":"hello","threadId":1}'],
    ['an empty thread', '{"message":"hello","threadId":""}'],
    ['a path for a thread', '{"message":"hello","threadId":"../../etc"}'],
    ['CR and LF in the thread', '{"message":"hello","threadId":"a\\r\\nb"}'],
    ['NUL in the thread', '{"message":"hello","threadId":"a\\u0000"}'],
    ['a thread of ten thousand letters', JSON.stringify({ message, threadId: 'a'.repeat(10_000) })],
    ['an empty agent', '{"message":"hello","agent":""}'],
    ['an unknown agent', '{"message":"hello","agent":"nobody"}'],
    ['an object for an agent', '{"message":"hello","agent":{"toString":1}}'],
    ['an agent named __proto__', '{"message":"hello","agent":"__proto__"}'],
    ['CR, LF and NUL in the agent', '{"message":"hello","agent":"a\\r\\n\\u0000b"}'],
    ['a list for metadata', '{"message":"hello","metadata":[]}'],
    ['text for metadata', '{"message":"hello","metadata":"x"}'],
    ['metadata that nests too deeply', `{"message":"hello","metadata":${deep(12)}}`],
    ['JSON that nests absurdly', `{"message":"hello","metadata":${deep(20_000)}}`],
    ['metadata of 20 kB', JSON.stringify({ message, metadata: { x: 'y'.repeat(20_000) } })],
    ['a metadata name of 1,000 letters', JSON.stringify({ message, metadata: { ['n'.repeat(1_000)]: 1 } })],
  ])('answers 400 to a body with %s', async (_what, body) => {
    for (const path of ['', '/runs']) {
      const answer = await server.call('POST', path, body, json);
      expectProblem(answer, 400);
      expect(answer.body['code']).toMatch(/^(REQUEST_INVALID|AGENT_UNKNOWN)$/);
    }
  });

  it('lists all errors of a body at once, each with its path', async () => {
    const { body } = await server.call('POST', '/runs', { message: 7, threadId: 'a b', extra: 1 });
    const paths = (body['errors'] as { path: string }[]).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['message', 'threadId']));
    expect(paths).toHaveLength(3);
  });

  it.each([
    ['a megabyte', 'x'.repeat(1024 * 1024)],
    ['a byte more than 256 KiB', 'x'.repeat(256 * 1024 + 1)],
    ['fewer characters, in more bytes', '€'.repeat(100 * 1024)],
  ])('answers 413 to a message of %s', async (_what, message) => {
    const answer = await server.call('POST', '/runs', { message });
    expectProblem(answer, 413);
    expect(answer.body).toMatchObject({ code: 'REQUEST_TOO_LARGE' });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])('answers 400 to a body of the type %s', async (type) => {
    expectProblem(await server.call('POST', '/runs', '{"message":"hello"}', { 'content-type': type }), 400);
  });

  it.each([
    ['an unknown charset', { 'content-type': 'application/json; charset=klingon' }],
    ['an unknown encoding', { ...json, 'content-encoding': 'klingon' }],
  ])('answers 4xx to a body in %s', async (_what, headers) => {
    const answer = await server.call('POST', '/runs', '{"message":"hello"}', headers);
    expectProblem(answer, answer.status);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it.each([
    ['spaces', 'a b'],
    ['nothing printable', '\u00a0'],
    ['300 characters', 'k'.repeat(300)],
  ])('answers 400 to an Idempotency-Key of %s', async (_what, key) => {
    expectProblem(await server.call('POST', '/runs', { message }, { 'idempotency-key': key }), 400);
  });

  it.each([
    'limit=0',
    'limit=-1',
    'limit=1.5',
    'limit=101',
    'limit=ten',
    'limit=1e3',
    'limit=1&limit=2',
    'cursor=a&cursor=b',
  ])('answers 400 to a request for a page of threads with ?%s', async (query) => {
    expectProblem(await server.call('GET', `/threads?${query}`), 400);
  });

  it.each(['cursor=nonsense', 'cursor=%00', 'cursor=%0d%0a', 'cursor=..%2f..%2f', 'unknown=1'])(
    'returns the first page of threads for ?%s',
    async (query) => {
      expect((await server.call('GET', `/threads?${query}`)).status).toBe(200);
    },
  );

  it('answers 400 to a cursor of 600 characters', async () => {
    expectProblem(await server.call('GET', `/threads?cursor=${'c'.repeat(600)}`), 400);
  });

  it.each([
    'x'.repeat(5_000),
    '..%2f..%2fetc%2fpasswd',
    '%00',
    'a%00b',
    'a%0d%0ab',
    '%F0%9F%99%82',
    '__proto__',
    'constructor',
    "'%20OR%201=1--",
    '*',
  ])('answers 404 to a strange run or thread id (%#)', async (id) => {
    for (const [method, path] of [
      ['GET', `/runs/${id}`],
      ['GET', `/runs/${id}/events`],
      ['POST', `/runs/${id}/cancel`],
      ['POST', `/runs/${id}/ticket`],
      ['GET', `/threads/${id}`],
      ['DELETE', `/threads/${id}`],
    ] as const)
      expectProblem(await server.call(method, path), 404);
  });

  it.each(['%', '%E0%A4%A', '%C0%80'])('answers 400 to a path that is not valid UTF-8: %s', async (id) => {
    expectProblem(await server.call('GET', `/runs/${id}`), 400);
  });

  it.each([
    ['a line end in a header', 'Last-Event-ID: a\rb'],
    ['a NUL in a header', 'Last-Event-ID: a\0b'],
    ['headers of 20,000 characters', `Last-Event-ID: ${'x'.repeat(20_000)}`],
  ])('answers 4xx to a request with %s', async (_what, header) => {
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    // The server closes without having read everything, which the client may see as a reset.
    socket.on('error', () => {});
    socket.write(`GET /api/chat/agents HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`);
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('changes no prototype, calls no agent and creates no thread after all bad requests', async () => {
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(asked).toEqual([]);
    expect((await server.call('GET', '/threads')).body['items']).toEqual([]);
  });

  it('passes unusual characters in a message and its metadata through unchanged', async () => {
    const odd = 'line\r\nline\n\ndata: x\n\n\u2028\uFEFF🙂 "\\';
    const metadata = { 'a\r\nb': 'c\0d', half: '\ud800', list: [null, { deep: [[1]] }] };
    const { runId } = await server.finishedRun({ message: odd, metadata });
    expect(asked).toEqual([{ message: odd, metadata }]);
    const { body } = await server.call('GET', `/runs/${runId}`);
    expect(body).toMatchObject({ message: odd, metadata });
  });

  type Answer = Awaited<ReturnType<ChatServer['call']>>;

  /** RFC 9457 with our fields, and not a word about what is inside. */
  function expectProblem({ status, headers, body }: Answer, expected: number): void {
    expect({ status, body }).toMatchObject({ status: expected, body: { status: expected } });
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({
      type: `urn:agent-stream:problem:${String(body['code'])}`,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(JSON.stringify(body)).not.toMatch(/node_modules|\.[jt]s:\d|Error:|SyntaxError|SQLITE/);
  }
});

function deep(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}
