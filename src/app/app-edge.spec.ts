import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OpenAPIObject } from '@nestjs/swagger';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import type { Storage } from '../storage/storage.js';
import { createApp } from './bootstrap.js';
import { loadConfig } from './config.js';
import { createLog } from './log.js';
import { Readiness } from '../instance/readiness.js';

const apps: NestExpressApplication[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(env: Record<string, string> = {}, storage: Storage = new MemoryStorage()) {
  const config = loadConfig({ DATA_DIR: mkdtempSync(join(tmpdir(), 'app-')), ...env });
  const app = await createApp(config, { storage, log: createLog({ level: 'silent' }) });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const post = (body: string) =>
    fetch(`${url}/api/chat/runs`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return { app, url, post };
}

class BrokenStorage extends MemoryStorage {
  override check(): Promise<void> {
    return Promise.reject(new Error('disk on fire'));
  }
}

describe('the health endpoints', () => {
  it('reports the app live and ready once it listens', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: 'live' });
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(ready.headers.get('cache-control')).toBe('no-store');
    expect(await ready.json()).toEqual({ status: 'ready' });
  });

  it('reports the app live but not ready while the storage fails, without the reason', async () => {
    const { url } = await start({}, new BrokenStorage());
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'storage-failed' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it('reports the app not ready once it drains', async () => {
    const { app, url } = await start();
    app.get(Readiness).startDraining();
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'draining' });
  });
});

describe('invalid requests', () => {
  it.each([
    ['malformed JSON', '{"message": ', 400, 'REQUEST_INVALID'],
    [
      'JSON that nests too deeply',
      `{"message":"hi","metadata":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'REQUEST_INVALID',
    ],
    [
      'a message of a megabyte',
      JSON.stringify({ message: 'x'.repeat(1024 * 1024) }),
      413,
      'REQUEST_TOO_LARGE',
    ],
  ])('answers a request with %s with a problem document', async (_what, body, status, code) => {
    const { post } = await start();
    const response = await post(body);
    expect(await response.json()).toMatchObject({ status, code });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it('answers an unknown path with a problem document', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/nowhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('response headers', () => {
  it('lets the page load from its own origin only, and names no software in headers', async () => {
    const { url } = await start();
    const { headers } = await fetch(`${url}/health/live`);
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|upgrade-insecure/);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('gives the script of a worker a policy of its own, which other scripts take from their page', async () => {
    const { url } = await start();
    const readPolicy = async (path: string) =>
      (await fetch(url + path)).headers.get('content-security-policy');
    expect(await readPolicy('/assets/view/highlight.worker.js')).toContain("default-src 'self'");
    expect(await readPolicy('/assets/view/highlight.js')).toBeNull();
  });

  it('lets a listed origin send the headers that streams need, with credentials', async () => {
    const { url } = await start({ CORS_ORIGINS: 'https://chat.example.com' });
    const { headers } = await fetch(`${url}/api/chat`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://chat.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'last-event-id,idempotency-key,authorization',
      },
    });
    expect(headers.get('access-control-allow-origin')).toBe('https://chat.example.com');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-headers')).toMatch(
      /authorization.*idempotency-key.*last-event-id/,
    );
  });

  it.each([[{}], [{ CORS_ORIGINS: 'https://chat.example.com' }]])(
    'lets no origin read that is not listed: %j',
    async (env) => {
      const { url } = await start(env);
      const { headers } = await fetch(`${url}/health/live`, { headers: { origin: 'https://evil.example' } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('keeps idle connections open for KEEP_ALIVE_SECONDS', async () => {
    const { app } = await start({ KEEP_ALIVE_SECONDS: '620' });
    expect(app.getHttpServer()).toMatchObject({ keepAliveTimeout: 620_000, timeout: 0 });
  });
});

describe('the API documentation', () => {
  it('serves the API documentation with its user interface and all assets', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.0' });
    const html = await (await fetch(`${url}/docs`)).text();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, asset]) => new URL(asset ?? '', `${url}/docs`),
    );
    expect(assets.map(({ origin }) => origin)).toEqual(assets.map(() => url));
    for (const asset of assets) {
      const response = await fetch(asset);
      expect({ asset, status: response.status, length: (await response.text()).length > 0 }).toEqual({
        asset,
        status: 200,
        length: true,
      });
    }
  });

  it('lets the API documentation use inline styles, and scripts only from its own origin', async () => {
    const { url } = await start();
    const policy = (await fetch(`${url}/docs`)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("style-src 'self' 'unsafe-inline'");
    expect(policy).not.toMatch(/script-src/);
  });

  it('documents health routes as public, and chat routes with the configured credentials', async () => {
    const { url } = await start({ AUTH_API_KEYS: '0123456789abcdef:ann@acme' });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenAPIObject;
    expect(document.components).toMatchObject({
      schemas: { ChatReadiness: {}, ChatReady: {} },
      securitySchemes: { apiKey: { name: 'X-API-Key' }, cookie: { in: 'cookie' } },
    });
    expect(document.paths['/health/ready']?.get).toHaveProperty('security', []);
    expect(document.paths['/api/chat']?.post).toHaveProperty('security', [{ apiKey: [] }, { cookie: [] }]);
  });
});
