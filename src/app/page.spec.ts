import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, request, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { until } from '../../test/support/until.js';
import { page } from './page.js';
import { PageFiles } from './page-files.js';
import { loadShared } from './shared-files.js';

const FILES = {
  'package.json': '{"secret":true}',
  'web/index.html': `<!doctype html>
<title>chat</title>
<link rel="icon" href="assets/icons/icon.svg" />
<link rel="stylesheet" href="assets/chat.css" />
<link rel="stylesheet" href="assets/more.css" />
<link rel="modulepreload" href="assets/late.js" fetchpriority="low" />
<script type="module" src="assets/chat.js"></script>
`,
  'web/runs/page.html': `<!doctype html>
<title>run</title>
<link rel="stylesheet" href="assets/more.css" />
`,
  'web/chat.js': `import { client } from '../client/index.js';\nexport const chat = client; // ${'chat '.repeat(100)}`,
  'web/late.js':
    "import { client } from '../client/index.js';\nimport './later.js';\nimport('./never.js');\n",
  'web/later.js': 'export const later = 1;',
  'web/chat.css': 'body {}\n',
  'web/more.css': 'main {}\n',
  'web/.env': 'SECRET=1',
  'web/icons/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'dist/client/index.js': 'export const client = 1;',
  'dist/events/run-view.js': 'export const fold = 1;',
  'dist/app/config.js': 'export const secret = 1;',
};

let server: Server;
let root: string;

beforeAll(async () => {
  // A dot in the path above the root must not make everything hidden.
  root = join(mkdtempSync(join(tmpdir(), 'page-')), '.cache');
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  server = createServer(express().use(page(root)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
});

/** By node:http, because fetch would resolve `..` before it is sent. */
async function get(path: string, headers: OutgoingHttpHeaders = {}) {
  const { port } = server.address() as AddressInfo;
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  request({ port, host: '127.0.0.1', path, headers, agent: false }, resolve).on('error', reject).end();
  const response = await promise;
  const content = await buffer(response);
  return { status: response.statusCode, headers: response.headers, content, body: content.toString() };
}

describe('the static files of the page', () => {
  it.each([
    ['/', 'text/html', 'chat'],
    ['/assets/chat.js', 'text/javascript', 'chat'],
    ['/assets/chat.css', 'text/css', 'body'],
    ['/assets/icons/icon.svg', 'image/svg+xml', '<svg'],
    ['/client/index.js', 'text/javascript', 'client'],
    ['/events/run-view.js', 'text/javascript', 'fold'],
    ['/vendor/marked.js', 'text/javascript', 'marked'],
    ['/vendor/dompurify.js', 'text/javascript', 'DOMPurify'],
    ['/vendor/temml.js', 'text/javascript', 'temml'],
    ['/vendor/highlight/core.js', 'text/javascript', 'highlight'],
    ['/vendor/highlight/python.js', 'text/javascript', 'Python'],
  ])('serves the path %s as %s', async (path, type, content) => {
    const { status, headers, body } = await get(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toContain(type);
    expect(headers['cache-control']).toBe('no-cache');
    expect(body).toContain(content);
  });

  it.each(['/', '/assets/chat.js', '/vendor/marked.js'])(
    'answers 304 while %s has not changed',
    async (path) => {
      const { headers } = await get(path);
      expect((await get(path, { 'if-none-match': headers.etag ?? '' })).status).toBe(304);
    },
  );

  it.each([
    '/assets/../package.json',
    '/assets/%2e%2e/package.json',
    '/assets/..%2fpackage.json',
    '/assets/..%5cpackage.json',
    '/assets/....//package.json',
    '/client/../app/config.js',
    '/client/%2e%2e/app/config.js',
    '/vendor/../package.json',
    '/assets/.env',
    '/assets/%2eenv',
    '/assets/chat.js%00.html',
    '/assets/',
    '/assets/icons',
    '/assets/icons/',
    '/client/',
    '/index.html',
    '/web/index.html',
    '/dist/app/config.js',
    '/package.json',
    '/vendor/purify.es.mjs',
    '/vendor/highlight/none.js',
    '/vendor/highlight/python.min.js',
  ])('does not serve the path %s', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toMatch(/secret|icon\.svg|<title>chat/i);
  });
});

describe('the versions of the page', () => {
  const readVersion = (html: string) => /"v\/([\w-]+)\/assets\/chat\.js"/.exec(html)?.[1];
  const links = (html: string) =>
    html.match(/<(?:link|script) [^>]+>/g)?.map((tag) => tag.replaceAll(/v\/[\w-]+\//g, ''));

  it('links each module once, those of the script first, and the styles as one sheet', async () => {
    const { body } = await get('/');
    expect(links(body)).toEqual([
      '<link rel="icon" href="assets/icons/icon.svg" />',
      '<link rel="stylesheet" href="styles/index.css" />',
      '<link rel="modulepreload" href="assets/late.js" fetchpriority="low" />',
      '<link rel="modulepreload" href="assets/later.js" fetchpriority="low" />',
      '<link rel="modulepreload" href="assets/chat.js" />',
      '<link rel="modulepreload" href="client/index.js" />',
      '<script type="module" src="assets/chat.js">',
    ]);
    const version = readVersion(body);
    expect((await get(`/v/${version}/styles/index.css`)).body).toBe('body {}\nmain {}\n');
    const { body: run } = await get('/runs/some-run');
    expect(run).toContain(`"../v/${version}/styles/runs/run.css"`);
    expect((await get(`/v/${version}/styles/runs/run.css`)).body).toBe('main {}\n');
  });

  it.each([
    'assets/chat.js',
    'assets/icons/icon.svg',
    'client/index.js',
    'events/run-view.js',
    'vendor/marked.js',
    'styles/index.css',
  ])('lets browsers keep %s of this version, and no file of another', async (path) => {
    const version = readVersion((await get('/')).body);
    const kept = await get(`/v/${version}/${path}`);
    expect(kept.status).toBe(200);
    expect(kept.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const other = await get(`/v/0123456789abcdef/${path}`);
    expect(other.content).toEqual(kept.content);
    expect(other.headers['cache-control']).toBe('no-cache');
  });

  it.each([
    'package.json',
    'assets/.env',
    'assets/../package.json',
    'client/../app/config.js',
    'assets/none.js',
  ])('does not serve %s under a version either', async (path) => {
    const version = readVersion((await get('/')).body);
    expect((await get(`/v/${version}/${path}`)).status).toBe(404);
  });

  it('is another version once a file has changed', async () => {
    const before = readVersion((await get('/')).body);
    writeFileSync(join(root, 'web/later.js'), 'export const later = 2;');
    utimesSync(join(root, 'web/later.js'), 1, 1);
    await until(async () => readVersion((await get('/')).body) !== before);
    const { headers } = await get(`/v/${before}/assets/later.js`);
    expect(headers['cache-control']).toBe('no-cache');
  });

  it('lets no browser keep a changed file under the version before it', async () => {
    const version = readVersion((await get('/')).body);
    const { content: old } = await get(`/v/${version}/assets/later.js`);
    writeFileSync(join(root, 'web/later.js'), 'export const later = 3;');
    utimesSync(join(root, 'web/later.js'), 2, 2);
    const { headers, content } = await get(`/v/${version}/assets/later.js`);
    if (headers['cache-control'] !== 'no-cache') expect(content).toEqual(old);
  });

  it('reads the version again after a file could not be read for a moment', async () => {
    let faults = 1;
    const files = new PageFiles(root, (path) => {
      if (faults-- > 0) throw new Error('EMFILE: too many open files');
      return loadShared(path);
    });
    await expect(files.findPage('index.html')).rejects.toThrow('EMFILE');
    expect(await files.findPage('index.html')).toBeDefined();
  });
});

describe('compression of the page', () => {
  it.each([
    ['br', 'gzip, deflate, br', brotliDecompressSync],
    ['gzip', 'gzip, deflate', gunzipSync],
    ['gzip', 'gzip, br;q=0', gunzipSync],
  ] as const)('uses %s for a browser that takes %s', async (encoding, accepted, decompress) => {
    const plain = await get('/assets/chat.js');
    const { headers, content } = await get('/assets/chat.js', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toBe('Accept-Encoding');
    expect(Number(headers['content-length'])).toBe(content.length);
    expect(content.length).toBeLessThan(plain.content.length / 2);
    expect(decompress(content)).toEqual(plain.content);
    expect(headers.etag).toBe(plain.headers.etag);
  });

  it('does not compress for a client that takes no compression, nor a file that is too small to gain by it', async () => {
    expect((await get('/assets/chat.js', { 'accept-encoding': 'identity' })).headers).not.toHaveProperty(
      'content-encoding',
    );
    expect((await get('/assets/chat.css', { 'accept-encoding': 'br' })).headers).not.toHaveProperty(
      'content-encoding',
    );
  });
});
