import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Module,
  Post,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import type { Response } from 'express';
import { SignJWT } from 'jose';
import type { AddressInfo } from 'node:net';
import { AppError, type ErrorCode } from '../errors.js';
import { AuthGuard } from './auth.guard.js';
import { authModule } from './auth.testing.js';
import type { AuthOptions } from './auth.options.js';
import { CurrentPrincipal } from './authentication.js';
import { SessionController } from './session.controller.js';

const STATUSES: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 401,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
};

@Catch(AppError)
class StatusFilter implements ExceptionFilter<AppError> {
  catch(error: AppError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    response.status(STATUSES[error.code] ?? 500).json({ code: error.code });
  }
}

@Controller('runs')
@UseGuards(AuthGuard)
@UseFilters(StatusFilter)
class RunsController {
  @Get()
  list(@CurrentPrincipal() principal: unknown): unknown {
    return principal;
  }

  @Post()
  start(@CurrentPrincipal() principal: unknown): unknown {
    return principal;
  }
}

const PATH = '/api/auth/session';
const secret = 'the secret that the tests sign with';
const apiKey = 'key-of-the-nightly-job';
const nightly = { userId: 'nightly', tenant: 'acme', roles: ['batch'] };
const credentials: AuthOptions = {
  kind: 'credentials',
  jwt: { secret },
  apiKeys: [{ key: apiKey, ...nightly }],
  allowedOrigins: ['https://ui.example'],
};

const running: NestExpressApplication[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

async function serve(options: AuthOptions) {
  @Controller(PATH)
  @UseFilters(StatusFilter)
  class PlacedSessionController extends SessionController {}
  @Module({ imports: [authModule(options)], controllers: [PlacedSessionController, RunsController] })
  class AppModule {}
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = module.createNestApplication<NestExpressApplication>({ logger: ['error'] });
  app.set('trust proxy', 'loopback');
  await app.listen(0, '127.0.0.1');
  running.push(app);
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
    const response = await fetch(url + path, { method, headers, body });
    const text = await response.text();
    const [cookie] = response.headers.getSetCookie();
    const challenge = response.headers.get('www-authenticate') ?? undefined;
    return { status: response.status, cookie, challenge, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    app,
    ask,
    json: (method: string, body: unknown, headers = {}) =>
      ask(method, PATH, { 'content-type': 'application/json', ...headers }, JSON.stringify(body)),
  };
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

function accessToken(exp: number, roles: readonly string[] = []): Promise<string> {
  return new SignJWT({ sub: 'ada', exp, roles })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(secret));
}

const nameAndValue = (cookie: string | undefined) => cookie?.split(';')[0] ?? '';

describe('POST /api/auth/session', () => {
  it('exchanges a key for a cookie that scripts cannot read and other sites do not send', async () => {
    const { ask, json } = await serve(credentials);
    const signedIn = await json('POST', { token: apiKey });
    expect(signedIn).toMatchObject({ status: 200, body: { kind: 'credentials', principal: nightly } });
    const attributes = signedIn.cookie
      ?.split('; ')
      .slice(1)
      .map((attribute) => attribute.toLowerCase());
    expect(attributes?.toSorted()).toEqual([
      'httponly',
      expect.stringMatching(/^max-age=28(800|7\d\d)$/),
      'path=/',
      'samesite=strict',
    ]);
    const headers = { cookie: nameAndValue(signedIn.cookie) };
    expect(await ask('GET', '/runs', headers)).toMatchObject({ status: 200, body: nightly });
    expect(await ask('GET', PATH, headers)).toMatchObject({
      body: { kind: 'credentials', principal: nightly },
    });
  });

  it('signs in with credentials from a header when there is no body', async () => {
    const { ask } = await serve(credentials);
    expect(await ask('POST', PATH, { 'x-api-key': apiKey })).toMatchObject({
      status: 200,
      body: { principal: nightly },
    });
  });

  it('marks the session cookie Secure when the browser came by https', async () => {
    const { json } = await serve(credentials);
    const { cookie } = await json('POST', { token: apiKey }, { 'x-forwarded-proto': 'https' });
    expect(cookie).toMatch(/; Secure/i);
  });

  it('limits the session to the lifetime of the token', async () => {
    const { json } = await serve(credentials);
    const exp = inSeconds(90);
    const token = await accessToken(exp);
    const { body, cookie } = await json('POST', { token });
    expect(body.expiresAt).toBe(exp * 1000);
    expect(Number(/max-age=(\d+)/i.exec(cookie ?? '')?.[1])).toBeLessThanOrEqual(90);
  });

  it('refuses a token whose roles do not fit into a cookie, which the browser would drop', async () => {
    const { ask, json } = await serve(credentials);
    const signIn = async (roles: number) =>
      json('POST', {
        token: await accessToken(
          inSeconds(90),
          Array.from({ length: roles }, (_, index) => `a-role-of-${index}`),
        ),
      });
    const longest = await signIn(150);
    expect(longest).toMatchObject({ status: 200, cookie: expect.any(String) });
    expect(longest.cookie?.length).toBeLessThan(4_096);
    expect(await ask('GET', '/runs', { cookie: nameAndValue(longest.cookie) })).toMatchObject({
      status: 200,
    });
    expect(await signIn(300)).toMatchObject({
      status: 400,
      cookie: undefined,
      body: { code: 'REQUEST_INVALID' },
    });
  });

  it('refuses to sign in with a wrong key even beside a valid session cookie', async () => {
    const { ask, json } = await serve(credentials);
    const { cookie } = await json('POST', { token: apiKey });
    const again = await json('POST', { token: 'wrong' }, { cookie: nameAndValue(cookie) });
    expect(again).toEqual({
      status: 401,
      cookie: undefined,
      challenge: 'Bearer realm="agent-stream"',
      body: { code: 'UNAUTHENTICATED' },
    });
    expect(await ask('POST', PATH, { cookie: nameAndValue(cookie) })).toMatchObject({ status: 401 });
  });

  it('refuses to sign in from another origin', async () => {
    const { ask } = await serve(credentials);
    const headers = { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' };
    expect(await ask('POST', PATH, headers, `token=${apiKey}`)).toMatchObject({
      status: 403,
      cookie: undefined,
    });
  });

  it.each([{ token: 7 }, { token: '' }, { token: apiKey, tenant: 'other' }, []])(
    'refuses to sign in with the body %j',
    async (body) => {
      const { json } = await serve(credentials);
      expect(await json('POST', body)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    },
  );
});

describe('a session cookie', () => {
  async function signedIn() {
    const server = await serve(credentials);
    const { cookie } = await server.json('POST', { token: apiKey });
    return { ...server, cookie: nameAndValue(cookie) };
  }

  it('accepts a session cookie from an allow-listed origin and from no other', async () => {
    const { ask, cookie } = await signedIn();
    expect(await ask('POST', '/runs', { cookie, origin: 'https://ui.example' })).toMatchObject({
      status: 201,
    });
    const refused = { status: 403, body: { code: 'ORIGIN_REFUSED' } };
    expect(await ask('POST', '/runs', { cookie, origin: 'https://evil.example' })).toMatchObject(refused);
    expect(await ask('GET', '/runs', { cookie, 'sec-fetch-site': 'cross-site' })).toMatchObject(refused);
  });

  it('prefers a bearer token to the session cookie of the same request', async () => {
    const { ask, cookie } = await signedIn();
    const token = await accessToken(inSeconds(60));
    const headers = { cookie, authorization: `Bearer ${token}`, origin: 'https://evil.example' };
    expect(await ask('POST', '/runs', headers)).toMatchObject({ status: 201, body: { userId: 'ada' } });
  });

  it('removes the session cookie at sign-out, but not on request of another origin', async () => {
    const { ask, cookie } = await signedIn();
    const elsewhere = { cookie, origin: 'https://evil.example' };
    expect(await ask('DELETE', PATH, elsewhere)).toMatchObject({ status: 403, cookie: undefined });
    const out = await ask('DELETE', PATH, { cookie });
    expect(out.status).toBe(204);
    expect(out.cookie).toMatch(/^agent-stream-session=;/);
    expect(out.cookie).toMatch(/expires=Thu, 01 Jan 1970|max-age=0/i);
  });

  it('refuses an access token in the session cookie', async () => {
    const { ask } = await serve(credentials);
    const token = await accessToken(inSeconds(60));
    expect(await ask('GET', '/runs', { cookie: `agent-stream-session=${token}` })).toMatchObject({
      status: 401,
    });
  });
});

describe('GET /api/auth/session', () => {
  it('tells the page that the caller is not signed in', async () => {
    const { ask } = await serve(credentials);
    expect(await ask('GET', PATH)).toMatchObject({
      status: 200,
      body: { kind: 'credentials', principal: null },
    });
  });

  it('returns the local principal without auth, where signing in is not possible', async () => {
    const { ask, json } = await serve({ kind: 'local' });
    const body = { kind: 'local', principal: { userId: 'local', tenant: 'local', roles: ['*'] } };
    expect(await ask('GET', PATH)).toMatchObject({ status: 200, body });
    expect(await json('POST', { token: apiKey })).toMatchObject({ status: 404 });
  });
});

it('documents the session routes and the body of signing in with OpenAPI', async () => {
  const { app } = await serve(credentials);
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  expect(Object.keys(document.paths[PATH] ?? {}).toSorted()).toEqual(['delete', 'get', 'post']);
  expect(document.paths[PATH]?.post?.tags).toEqual(['auth']);
  expect(document.paths[PATH]?.post).toHaveProperty('requestBody.content');
  expect(JSON.stringify(document)).toContain('An access token or API key');
});
