import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { page } from './page.js';

const FILES = {
  'package.json': '{"secret":true}',
  'web/index.html': '<!doctype html><title>chat</title>',
  'web/chat.js': 'export const chat = 1;',
  'web/chat.css': 'body {}',
  'web/.env': 'SECRET=1',
  'web/icons/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'dist/client/index.js': 'export const client = 1;',
  'dist/events/run-view.js': 'export const fold = 1;',
  'dist/app/config.js': 'export const secret = 1;',
};

let server: Server;

beforeAll(async () => {
  // A dot in the path above the root must not make everything hidden.
  const root = join(mkdtempSync(join(tmpdir(), 'page-')), '.cache');
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
async function get(path: string, headers: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  request({ port, host: '127.0.0.1', path, headers, agent: false }, resolve).on('error', reject).end();
  const response = await promise;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
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
  ])('does not serve the path %s', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toMatch(/secret|icon\.svg|<title>chat/i);
  });
});
