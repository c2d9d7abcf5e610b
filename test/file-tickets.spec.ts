import { describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ChatModule } from '../src/chat/chat.module.js';
import { ChatService } from '../src/client/index.js';
import { ScriptedAgent } from '../src/testing/scripted.agent.js';
import { FRAMEWORKS, hostServers } from './embedding/host.server.js';
import { chatServers, type ChatServer, type ChatServerOptions } from './support/chat.server.js';
import { until } from './support/until.js';
import { defaultStorage } from './support/storages.js';

const TEXT = 'abcdefghij';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const apiKeys = ['ann@acme', 'ben@acme', 'ann@other'].map((name) => {
  const [userId = '', tenant = ''] = name.split('@');
  return { key: `key-of-${userId}-at-${tenant}`, userId, tenant };
});
const [ann = {}, ben = {}, stranger = {}] = apiKeys.map(({ key }): Record<string, string> => ({
  'x-api-key': key,
}));

describe('a URL of a file with a ticket', () => {
  const start = chatServers();
  const serve = (options: ChatServerOptions = {}) =>
    start({ auth: { kind: 'credentials', apiKeys }, ...options });

  const upload = async (server: ChatServer, data: string | Uint8Array = PNG, type = 'text/plain') => {
    const response = await fetch(`${server.url}/files?name=a.txt&type=${type}`, {
      method: 'POST',
      headers: { ...ann, 'content-type': 'application/octet-stream' },
      body: typeof data === 'string' ? data : Buffer.from(data),
    });
    return ((await response.json()) as { fileId: string }).fileId;
  };
  const ask = async (server: ChatServer, fileId: string, headers = ann) => {
    const { status, body } = await server.call('POST', `/files/${fileId}/ticket`, undefined, headers);
    return { status, body, url: `${server.origin}${String(body['url'])}`, ticket: String(body['ticket']) };
  };

  it('shows the file without credentials, in no browser’s cache and without running it', async () => {
    const server = await serve();
    const fileId = await upload(server);
    const { status, url } = await ask(server, fileId);
    expect(status).toBe(200);
    expect((await fetch(url.split('?')[0]!)).status).toBe(401);
    const shown = await fetch(url);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
    const page = await ask(server, await upload(server, '<script>alert(1)</script>', 'text/html'));
    const download = await fetch(page.url);
    const safe = {
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // A front end of another origin may show what it has a ticket for.
      'cross-origin-resource-policy': 'cross-origin',
    };
    expect(Object.fromEntries(shown.headers)).toMatchObject({ ...safe, 'content-type': 'image/png' });
    expect(Object.fromEntries(download.headers)).toMatchObject({
      ...safe,
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment/),
    });
    const own = await fetch(url.split('?')[0]!, { headers: ann });
    expect(own.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('opens its file only, with what was signed only, and for nothing but reading', async () => {
    const server = await serve();
    const [fileId, other] = [await upload(server), await upload(server)];
    const { url, ticket } = await ask(server, fileId);
    const [head = '', claims = '', signature = ''] = ticket.split('.');
    const changed = Buffer.from(claims, 'base64url').toString().replace(fileId, other);
    const forged = `${head}.${Buffer.from(changed).toString('base64url')}.${signature}`;
    const none = Buffer.from('{"alg":"none","typ":"stream-ticket+jwt"}').toString('base64url');
    const refused = [
      url.replace(fileId, other),
      `${url.replace(fileId, other).split('?')[0]}?ticket=${forged}`,
      `${url.split('?')[0]}?ticket=${none}.${claims}.`,
      `${url}x`,
      `${url}&ticket=${ticket}`,
      `${url.split('?')[0]}?ticket=`,
      `${server.url}/threads?ticket=${ticket}`,
    ];
    for (const each of refused) expect((await fetch(each)).status).toBe(401);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(401);
    expect((await fetch(url.replace('?', '/ticket?'), { method: 'POST' })).status).toBe(401);
    expect((await fetch(url)).status).toBe(200);
    // A ticket for a stream is none for a file.
    const { runId } = await server.startRun({ message: 'hello' }, ann);
    const stream = await server.call('POST', `/runs/${runId}/ticket`, undefined, ann);
    const streamTicket = String(stream.body['ticket']);
    expect((await fetch(`${url.split('?')[0]}?ticket=${streamTicket}`)).status).toBe(401);
    expect((await fetch(`${server.url}/runs/${runId}/events?ticket=${ticket}`)).status).toBe(401);
  });

  it('is given to the owner of the file only, and others learn nothing', async () => {
    const server = await serve();
    const fileId = await upload(server);
    const none = await ask(server, 'none', ben);
    for (const caller of [ben, stranger]) {
      const { status, body } = await ask(server, fileId, caller);
      expect(status).toBe(404);
      expect({ ...body, detail: '', instance: '' }).toEqual({ ...none.body, detail: '', instance: '' });
    }
    expect((await ask(server, fileId, {})).status).toBe(401);
  });

  it('expires, and ends with the file and with the session that asked for it', async () => {
    const server = await serve({ auth: { kind: 'credentials', apiKeys, ticketTtlMs: 1_000 } });
    const fileId = await upload(server);
    const { url, body } = await ask(server, fileId);
    expect(Number(body['expiresAt'])).toBeLessThanOrEqual(Date.now() + 1_000);
    await until(async () => (await fetch(url)).status === 401);

    const lasting = await serve();
    const gone = await upload(lasting);
    const ticket = await ask(lasting, gone);
    expect((await lasting.call('DELETE', `/files/${gone}`, undefined, ann)).status).toBe(204);
    expect((await fetch(ticket.url)).status).toBe(404);

    const kept = await upload(lasting);
    const session = `${lasting.origin}/api/auth/session`;
    const signedIn = await fetch(session, { method: 'POST', headers: ann });
    const cookie = { cookie: signedIn.headers.get('set-cookie')!.split(';')[0]! };
    const inSession = await ask(lasting, kept, cookie);
    expect((await fetch(inSession.url)).status).toBe(200);
    await fetch(session, { method: 'DELETE', headers: cookie });
    expect((await fetch(inSession.url)).status).toBe(401);
  });

  it('answers HEAD, and requests for a part', async () => {
    const server = await serve();
    const { url } = await ask(server, await upload(server, TEXT));
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([
      200,
      '10',
      'bytes',
    ]);
    const part = async (range: string) => {
      const response = await fetch(url, { headers: { range } });
      return [response.status, response.headers.get('content-range'), await response.text()];
    };
    expect(await part('bytes=2-4')).toEqual([206, 'bytes 2-4/10', 'cde']);
    expect(await part('bytes=-3')).toEqual([206, 'bytes 7-9/10', 'hij']);
    expect(await part('bytes=8-')).toEqual([206, 'bytes 8-9/10', 'ij']);
    expect(await part('bytes=10-')).toEqual([416, 'bytes */10', '']);
    expect(await part('bytes=0-1,4-5')).toEqual([200, null, TEXT]);
  });
});

describe.each(FRAMEWORKS)('a URL of a file with a ticket on %s', (framework) => {
  const start = hostServers();

  it('comes from the client library, whose headers an image cannot send', async () => {
    const module = ChatModule.forRoot({
      storage: defaultStorage(),
      agents: () => [new ScriptedAgent(() => {})],
      auth: { kind: 'credentials', apiKeys },
      drainMs: 0,
    });
    const server = await start(module, {
      framework,
      prepare: (app) => {
        if (framework === 'fastify')
          (app as NestFastifyApplication)
            .getHttpAdapter()
            .getInstance()
            .addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body));
      },
    });
    const client = new ChatService({ baseUrl: server.url('/api/chat'), headers: ann });
    const { fileId } = await client.upload(new Blob(['{"a":1}']), { type: 'application/json' });
    const { url, expiresAt } = await client.fileTicket(fileId);
    expect(expiresAt).toBeGreaterThan(Date.now());
    expect(url.startsWith(`${server.url('/api/chat')}/files/${fileId}?ticket=`)).toBe(true);
    const shown = await fetch(url, { headers: { range: 'bytes=0-2' } });
    expect([shown.status, await shown.text()]).toEqual([206, '{"a']);
    await expect(client.fileTicket('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
