import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { guardedFetch, type FetchedPage, type GuardedFetchRequest } from './guarded-fetch.js';

const servers: Server[] = [];

/** A site on loopback. Named as `site.example:port` in the policy it may be reached; under any other name it may not. */
async function site(listener: RequestListener): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, requests };
}

function get(url: string, fields: Partial<GuardedFetchRequest> = {}): Promise<FetchedPage> {
  return guardedFetch({
    url,
    policy: {},
    limit: 10_000,
    signal: AbortSignal.timeout(4_000),
    resolve: async () => ['127.0.0.1'],
    ...fields,
  });
}

/** The site by the one name that the settings allow. */
function allowed(port: number): Partial<GuardedFetchRequest> {
  return { policy: { allowedHosts: [`site.example:${port}`] } };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

describe('guardedFetch refuses', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://0x7f.1/',
    'http://127.0.0.1./',
    'http://①②⑦.⓪.⓪.①/',
    'http://0/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fd00:ec2::254]/',
    'https://10.0.0.1/',
  ])('the address %s', async (url) => {
    await expect(get(url)).rejects.toThrow('not on the public internet');
  });

  it.each([
    'http://user@example.com/',
    'http://user:password@example.com/',
    'http://8.8.8.8@127.0.0.1/',
    'http://localhost./',
    'http://example.com./',
    'http://example.com:22/',
    'http://example.com:8080/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'javascript:alert(1)',
    'gopher://127.0.0.1:70/',
    '//example.com/',
    'example.com',
    'http://',
    '',
  ])('%p before it resolves anything', async (url) => {
    let resolved = 0;
    const resolve = async () => {
      resolved += 1;
      return ['8.8.8.8'];
    };
    await expect(get(url, { resolve })).rejects.toMatchObject({ name: 'FetchRefusedError' });
    expect(resolved).toBe(0);
  });

  it('a name of which one address is private', async () => {
    const resolve = async () => ['93.184.216.34', '10.0.0.7'];
    await expect(get('http://example.com/', { resolve })).rejects.toThrow(
      'example.com is not on the public internet.',
    );
  });

  it('a name that has no address', async () => {
    await expect(get('http://example.com/', { resolve: async () => [] })).rejects.toThrow('no address');
  });

  it('a redirect to a private address, a refused scheme or credentials', async () => {
    for (const location of [
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'http://a:b@site.example/',
      '//10.0.0.1',
    ]) {
      const { port, requests } = await site((_, response) => response.writeHead(302, { location }).end());
      await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toMatchObject({
        name: 'FetchRefusedError',
      });
      expect(requests).toEqual(['/']);
    }
  });

  it('another name of an allowed server, and another port of an allowed name', async () => {
    const { port, requests } = await site((_, response) => response.end('secret'));
    await expect(
      get(`http://other.example:${port}/`, { policy: { ...allowed(port).policy, allowedPorts: [port] } }),
    ).rejects.toThrow('not on the public internet');
    await expect(
      get(`http://site.example:${port}/`, { policy: { allowedHosts: ['site.example:1'] } }),
    ).rejects.toThrow('not allowed');
    expect(requests).toEqual([]);
  });

  it('a fourth redirect', async () => {
    const { port, requests } = await site((request, response) =>
      response.writeHead(302, { location: `/${Number(request.url?.slice(1)) + 1}` }).end(),
    );
    await expect(get(`http://site.example:${port}/0`, allowed(port))).rejects.toThrow(
      'More than 3 redirects',
    );
    expect(requests).toEqual(['/0', '/1', '/2', '/3']);
  });

  it.each(['image/png', 'application/octet-stream', 'video/mp4', 'application/pdf'])('%s', async (type) => {
    const { port } = await site((_, response) => response.writeHead(200, { 'content-type': type }).end('x'));
    await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow('neither text nor JSON');
  });
});

describe('guardedFetch', () => {
  it('resolves a name once and connects to the address that it checked', async () => {
    const { port } = await site((_, response) => response.end('hello'));
    let resolved = 0;
    // A rebinding name server. Nobody else could resolve this name: being served at all means the first answer was used.
    const resolve = async () => ((resolved += 1) === 1 ? ['127.0.0.1'] : ['10.0.0.7']);
    const { body } = await get(`http://site.example:${port}/`, { ...allowed(port), resolve });
    expect(body).toBe('hello');
    expect(resolved).toBe(1);
  });

  it('checks the name anew on each redirect', async () => {
    const { port, requests } = await site((_, response) =>
      response.writeHead(302, { location: 'http://rebind.example/' }).end(),
    );
    await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow(
      'rebind.example is not on the public internet.',
    );
    expect(requests).toEqual(['/']);
  });

  it('follows up to 3 redirects and says where it ended', async () => {
    const { port } = await site((request, response) =>
      request.url === '/3'
        ? response
            .writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' })
            .end(Buffer.from([0xfc]))
        : response.writeHead(301, { location: `/${Number(request.url?.slice(1)) + 1}` }).end(),
    );
    expect(await get(`http://site.example:${port}/0#part`, allowed(port))).toEqual({
      url: `http://site.example:${port}/3`,
      status: 200,
      contentType: 'text/plain',
      body: 'ü',
      truncated: false,
    });
  });

  it('sends no credentials and asks with GET', async () => {
    const { port } = await site(({ method, headers }, response) =>
      response.end(
        JSON.stringify({ method, host: headers.host, secrets: [headers.cookie, headers.authorization] }),
      ),
    );
    const { body } = await get(`http://site.example:${port}/`, allowed(port));
    expect(JSON.parse(body)).toEqual({ method: 'GET', host: `site.example:${port}`, secrets: [null, null] });
  });

  it('hangs up when it has read enough, whatever was announced', async () => {
    const closed = Promise.withResolvers<void>();
    const { port } = await site((_, response) => {
      response.on('close', closed.resolve);
      const timer = setInterval(() => response.write('x'.repeat(4_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    const { body, truncated } = await get(`http://site.example:${port}/`, allowed(port));
    expect(body).toHaveLength(10_000);
    expect(truncated).toBe(true);
    await closed.promise;
  });

  it('counts what a compressed page becomes', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(20_000_000));
    const { port } = await site((_, response) =>
      response.writeHead(200, { 'content-encoding': 'br' }).end(bomb),
    );
    const { body, truncated } = await get(`http://site.example:${port}/`, allowed(port));
    expect(body).toHaveLength(10_000);
    expect(truncated).toBe(true);
  });

  it('stops when the call is cancelled', async () => {
    const controller = new AbortController();
    const { port } = await site(() => controller.abort(new Error('cancelled')));
    await expect(
      get(`http://site.example:${port}/`, { ...allowed(port), signal: controller.signal }),
    ).rejects.toThrow('cancelled');
  });

  it('tells no internals when the server cannot be reached', async () => {
    const { port } = await site((request) => request.socket.destroy());
    await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow(
      /^The page could not be fetched: its server cannot be reached or does not answer properly\.$/,
    );
  });
});
