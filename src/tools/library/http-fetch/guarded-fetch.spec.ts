import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FetchRefusedError } from './fetch-refused.error.js';
import { FetchRules } from './fetch-rules.js';
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
    rules: new FetchRules(),
    limit: 10_000,
    signal: AbortSignal.timeout(4_000),
    resolve: async () => ['127.0.0.1'],
    ...fields,
  });
}

/** The site by the one name that the settings allow. */
function allowed(port: number): Partial<GuardedFetchRequest> {
  return { rules: new FetchRules({ privateHosts: [`site.example:${port}`] }) };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

describe('guardedFetch with forbidden targets', () => {
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
  ])('refuses to fetch the address %s', async (url) => {
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
  ])('refuses to fetch %p before it resolves a name', async (url) => {
    let resolved = 0;
    const resolve = async () => {
      resolved += 1;
      return ['8.8.8.8'];
    };
    await expect(get(url, { resolve })).rejects.toBeInstanceOf(FetchRefusedError);
    expect(resolved).toBe(0);
  });

  it('refuses to fetch a name with a private address among its addresses', async () => {
    const resolve = async () => ['93.184.216.34', '10.0.0.7'];
    await expect(get('http://example.com/', { resolve })).rejects.toThrow(
      'example.com is not on the public internet.',
    );
  });

  it('refuses to fetch a name without an address', async () => {
    await expect(get('http://example.com/', { resolve: async () => [] })).rejects.toThrow('no address');
  });

  it('refuses a redirect to a private address, another scheme or a URL with credentials', async () => {
    for (const location of [
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'http://a:b@site.example/',
      '//10.0.0.1',
    ]) {
      const { port, requests } = await site((_, response) => response.writeHead(302, { location }).end());
      await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toBeInstanceOf(
        FetchRefusedError,
      );
      expect(requests).toEqual(['/']);
    }
  });

  it('refuses another name of an allowed server and another port of an allowed name', async () => {
    const { port, requests } = await site((_, response) => response.end('secret'));
    await expect(
      get(`http://other.example:${port}/`, {
        rules: new FetchRules({ privateHosts: [`site.example:${port}`], allowedPorts: [port] }),
      }),
    ).rejects.toThrow('not on the public internet');
    await expect(
      get(`http://site.example:${port}/`, {
        rules: new FetchRules({ privateHosts: ['site.example:1'] }),
      }),
    ).rejects.toThrow('not allowed');
    expect(requests).toEqual([]);
  });

  it('refuses to follow a fourth redirect', async () => {
    const { port, requests } = await site((request, response) =>
      response.writeHead(302, { location: `/${Number(request.url?.slice(1)) + 1}` }).end(),
    );
    await expect(get(`http://site.example:${port}/0`, allowed(port))).rejects.toThrow(
      'redirects more than 3 times',
    );
    expect(requests).toEqual(['/0', '/1', '/2', '/3']);
  });

  it.each(['image/png', 'application/octet-stream', 'video/mp4', 'application/pdf'])(
    'refuses to fetch the content type %s',
    async (type) => {
      const { port } = await site((_, response) =>
        response.writeHead(200, { 'content-type': type }).end('x'),
      );
      await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow(
        'neither text nor JSON',
      );
    },
  );
});

describe('guardedFetch with allowed hosts', () => {
  const LIST = ['docs.example.com', '*.example.org', 'BÜCHER.example', 'Dotted.Example.', '93.184.216.34'];
  const rules = new FetchRules({ allowedHosts: LIST });

  /** A name that is let through is looked up, and then refused for where it leads. */
  async function isLookedUp(url: string): Promise<boolean> {
    let lookedUp = false;
    const resolve = async () => {
      lookedUp = true;
      return ['10.0.0.1'];
    };
    await expect(get(url, { rules, resolve })).rejects.toBeInstanceOf(FetchRefusedError);
    return lookedUp;
  }

  it.each([
    'https://docs.example.com/a',
    'http://docs.example.com:443/',
    'https://DOCS.Example.COM/',
    'https://a.example.org/',
    'https://a.b.example.org/',
    'https://bücher.example/',
    'https://xn--bcher-kva.example/',
    'https://dotted.example/',
  ])('allows a fetch of %s from an allowed host', async (url) => {
    expect(await isLookedUp(url)).toBe(true);
  });

  it.each([
    'https://example.com/',
    'https://www.docs.example.com/',
    'https://evildocs.example.com/',
    'https://docs.example.com.evil.example/',
    'https://docs.example.com./',
    'https://example.org/',
    'https://evilexample.org/',
    'https://.example.org/',
    'https://example.org.evil.example/',
    'https://docs.example.com@evil.example/',
    'https://evil.example/docs.example.com',
    'https://evil.example/?.example.org',
    'https://evil.example/#.example.org',
    'https://evil.example\\.example.org/',
    'https://xn--bcher-kva.example.evil.example/',
    'https://bucher.example/',
    'https://8.8.8.8/',
    'http://127.0.0.1/',
  ])('refuses to fetch %s before it resolves a name that is not allowed', async (url) => {
    expect(await isLookedUp(url)).toBe(false);
  });

  it('checks the list of allowed hosts again at each redirect', async () => {
    const { port, requests } = await site((_, response) =>
      response.writeHead(302, { location: 'http://evil.example/' }).end(),
    );
    let resolved = 0;
    const hop = get(`http://site.example:${port}/`, {
      rules: new FetchRules({ allowedHosts: LIST, privateHosts: [`site.example:${port}`] }),
      resolve: async () => ((resolved += 1), ['127.0.0.1']),
    });
    await expect(hop).rejects.toThrow('do not allow fetching from evil.example');
    expect([requests, resolved]).toEqual([['/'], 1]);
  });

  it('allows no fetch when the list of allowed hosts is empty', async () => {
    const call = get('https://docs.example.com/', { rules: new FetchRules({ allowedHosts: [] }) });
    await expect(call).rejects.toThrow('do not allow');
  });

  it.each([
    '',
    '*',
    '*.',
    'a.*.b',
    'https://a.example',
    'a.example:443',
    'a.example/x',
    'a b',
    '*.10.0.0.1',
    'a..b',
  ])('refuses the allowed host %p at its creation', (entry) => {
    expect(() => new FetchRules({ allowedHosts: [entry] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it.each([
    'wiki.internal',
    'wiki.internal:0',
    'wiki.internal:70000',
    '*.internal:80',
    'http://wiki.internal:80',
  ])('refuses the private host %p at its creation', (entry) => {
    expect(() => new FetchRules({ privateHosts: [entry] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
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

  it('checks the host name again at each redirect', async () => {
    const { port, requests } = await site((_, response) =>
      response.writeHead(302, { location: 'http://rebind.example/' }).end(),
    );
    await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow(
      'rebind.example is not on the public internet.',
    );
    expect(requests).toEqual(['/']);
  });

  it('follows up to 3 redirects and returns the final URL', async () => {
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

  it('sends a GET without credentials', async () => {
    const { port } = await site(({ method, headers }, response) =>
      response.end(
        JSON.stringify({ method, host: headers.host, secrets: [headers.cookie, headers.authorization] }),
      ),
    );
    const { body } = await get(`http://site.example:${port}/`, allowed(port));
    expect(JSON.parse(body)).toEqual({ method: 'GET', host: `site.example:${port}`, secrets: [null, null] });
  });

  it('closes the connection when it has read enough of a page', async () => {
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

  it('limits the size of a compressed page after decompression', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(20_000_000));
    const { port } = await site((_, response) =>
      response.writeHead(200, { 'content-encoding': 'br' }).end(bomb),
    );
    const { body, truncated } = await get(`http://site.example:${port}/`, allowed(port));
    expect(body).toHaveLength(10_000);
    expect(truncated).toBe(true);
  });

  it('stops a fetch when the call is cancelled', async () => {
    const controller = new AbortController();
    const { port } = await site(() => controller.abort(new Error('cancelled')));
    await expect(
      get(`http://site.example:${port}/`, { ...allowed(port), signal: controller.signal }),
    ).rejects.toThrow('cancelled');
  });

  it('hides internals when the fetched server cannot be reached', async () => {
    const { port } = await site((request) => request.socket.destroy());
    await expect(get(`http://site.example:${port}/`, allowed(port))).rejects.toThrow(
      /^The page could not be fetched: its server cannot be reached or does not answer properly\.$/,
    );
  });
});
