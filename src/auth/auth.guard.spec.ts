import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Module,
  Post,
  Sse,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type MessageEvent,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Response } from 'express';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concat, NEVER, of, type Observable } from 'rxjs';
import { AppError, type ErrorCode } from '../errors.js';
import type { Principal } from '../principal.js';
import { AcceptsTicket } from './accepts-ticket.decorator.js';
import { AuthGuard } from './auth.guard.js';
import { authModule } from './auth.testing.js';
import type { AuthOptions, JwtOptions } from './auth.options.js';
import { CurrentPrincipal } from './authentication.js';
import { jwtSource } from './credential-source.js';
import { TicketService } from './ticket.service.js';

const STATUSES: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  ORIGIN_REFUSED: 403,
  AUTH_UNAVAILABLE: 503,
};

@Catch(AppError)
class StatusFilter implements ExceptionFilter<AppError> {
  catch(error: AppError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    response.status(STATUSES[error.code] ?? 500).json({ code: error.code, message: error.message });
  }
}

@Controller('runs')
@UseGuards(AuthGuard)
@UseFilters(StatusFilter)
class RunsController {
  @Get('me')
  me(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Post()
  start(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Get(':id')
  run(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Sse(':id/events')
  @AcceptsTicket({ kind: 'run-events', parameter: 'id' })
  events(@CurrentPrincipal() principal: Principal): Observable<MessageEvent> {
    return concat(of({ id: '1', data: principal }), NEVER);
  }
}

const secret = 'the secret that the tests sign with';
const jwt: JwtOptions = { secret, issuer: 'https://id.example', audience: 'agent-stream' };
const apiKey = 'key-of-the-nightly-job';
const apiKeys = [{ key: apiKey, userId: 'nightly', tenant: 'acme', roles: ['batch'] }];
const claims = { tenant: 'acme', roles: ['analyst'] };
const ada: Principal = { userId: 'ada', ...claims };

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function serve(options: AuthOptions) {
  @Module({ imports: [authModule(options)], controllers: [RunsController] })
  class AppModule {}
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app: INestApplication = module.createNestApplication({
    forceCloseConnections: true,
    logger: ['error'],
  });
  await app.listen(0, '127.0.0.1');
  running.push(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    tickets: app.get(TicketService),
    ask: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      ask(port, path, headers, method),
  };
}

/** A request as no fetch would send it: any Host, any Sec-Fetch-Site. Answers as soon as the headers and first bytes are there. */
async function ask(port: number, path: string, headers: Record<string, string>, method: string) {
  const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers });
  const [response] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('data:')) break;
  }
  outgoing.destroy();
  const json = /^(?:data: )?(\{.*)$/m.exec(text)?.[1];
  const type = response.headers['content-type']?.split(';')[0];
  return { status: response.statusCode, type, headers: response.headers, body: json && JSON.parse(json) };
}

function tokenWith(
  overrides: JWTPayload = {},
  {
    alg = 'HS256',
    key = Buffer.from(secret),
    kid,
    typ,
  }: { alg?: string; key?: Uint8Array | CryptoKey; kid?: string; typ?: string } = {},
): Promise<string> {
  const payload = {
    iss: jwt.issuer,
    aud: jwt.audience,
    sub: 'ada',
    exp: inSeconds(60),
    ...claims,
    ...overrides,
  };
  return new SignJWT(payload).setProtectedHeader({ alg, kid, typ }).sign(key);
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('AuthGuard with an access token', () => {
  it('accepts a valid access token on JSON and streaming routes', async () => {
    const { ask } = await serve({ kind: 'credentials', jwt });
    const headers = bearer(await tokenWith());
    expect(await ask('/runs/me', headers)).toMatchObject({ status: 200, body: ada });
    expect(await ask('/runs/r1/events', headers)).toMatchObject({
      status: 200,
      type: 'text/event-stream',
      body: ada,
    });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['is of another issuer', () => tokenWith({ iss: 'https://evil.example' })],
    ['is for another audience', () => tokenWith({ aud: 'mail' })],
    ['has expired', () => tokenWith({ exp: inSeconds(-10) })],
    ['never expires', () => tokenWith({ exp: undefined })],
    ['is not valid yet', () => tokenWith({ nbf: inSeconds(60) })],
    ['has no subject', () => tokenWith({ sub: undefined })],
    ['is signed with another secret', () => tokenWith({}, { key: Buffer.alloc(32, 'x') })],
    [
      'is signed with an algorithm that is not on the list',
      () => tokenWith({}, { alg: 'HS512', key: Buffer.alloc(64, secret) }),
    ],
    [
      'is not signed',
      () => new UnsecuredJWT({ iss: jwt.issuer, aud: jwt.audience, sub: 'ada', exp: inSeconds(60) }).encode(),
    ],
    ['is not a token', () => 'nonsense'],
  ])('answers 401 in JSON without a reason to a token that %s, before any stream', async (_, makeToken) => {
    const { ask } = await serve({ kind: 'credentials', jwt });
    const answer = await ask('/runs/r1/events', bearer(await makeToken()));
    expect(answer).toMatchObject({ status: 401, type: 'application/json' });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="agent-stream", error="invalid_token"');
    expect(answer.body).toEqual({
      code: 'UNAUTHENTICATED',
      message: 'Sign in, or send a valid bearer token or API key.',
    });
  });

  it('accepts the tokens of a client that is the API as well, but for the ID tokens of its sign-in', async () => {
    const oidc = {
      issuer: 'https://id.example',
      clientId: 'agent-stream',
      redirectUri: 'https://chat.example/api/auth/session/oidc/callback',
    };
    const getStatus = async (options: AuthOptions, token: Promise<string>) => {
      const { ask } = await serve(options);
      return (await ask('/runs/me', bearer(await token))).status;
    };
    const withSignIn: AuthOptions = { kind: 'credentials', jwt, oidc };
    const idToken = { nonce: 'of-the-sign-in' };
    expect(await getStatus(withSignIn, tokenWith(idToken))).toBe(401);
    expect(await getStatus(withSignIn, tokenWith({ ...idToken, aud: ['agent-stream', 'other'] }))).toBe(401);
    expect(await getStatus(withSignIn, tokenWith())).toBe(200);
    expect(await getStatus(withSignIn, tokenWith(idToken, { typ: 'at+jwt' }))).toBe(200);
    expect(await getStatus(withSignIn, tokenWith({ ...idToken, typ: 'Bearer' }))).toBe(200);
    expect(await getStatus({ kind: 'credentials', jwt }, tokenWith(idToken))).toBe(200);
  });

  it('answers a request without credentials with a challenge that names no error', async () => {
    const { ask } = await serve({ kind: 'credentials', jwt });
    const answer = await ask('/runs/me');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="agent-stream"');
  });

  it('refuses an access token in the URL', async () => {
    const { ask } = await serve({ kind: 'credentials', jwt });
    const token = await tokenWith();
    for (const name of ['ticket', 'access_token', 'token'])
      expect(await ask(`/runs/r1/events?${name}=${token}`)).toMatchObject({ status: 401 });
  });
});

describe('AuthGuard with a key set', () => {
  async function issuer() {
    const [first, second] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
    const jwk = { ...(await exportJWK(first.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
    const server: Server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    running.push({ close: () => server.closeAllConnections() ?? server.close() });
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const options: AuthOptions = {
      kind: 'credentials',
      jwt: { ...jwt, secret: undefined, jwksUrl },
      apiKeys,
    };
    return { options, jwk, signs: first.privateKey, stranger: second.privateKey, server };
  }

  it('accepts a token signed with a key of the set', async () => {
    const { options, signs } = await issuer();
    const { ask } = await serve(options);
    const token = await tokenWith({}, { alg: 'RS256', key: signs, kid: 'k1' });
    expect(await ask('/runs/me', bearer(token))).toMatchObject({ status: 200, body: ada });
  });

  it('refuses a token signed with a foreign key, an unknown key, or the public key used as a secret', async () => {
    const { options, jwk, stranger } = await issuer();
    const { ask } = await serve(options);
    const tokens = [
      await tokenWith({}, { alg: 'RS256', key: stranger, kid: 'k1' }),
      await tokenWith({}, { alg: 'RS256', key: stranger, kid: 'k2' }),
      await tokenWith({}, { alg: 'HS256', key: Buffer.from(JSON.stringify(jwk)), kid: 'k1' }),
    ];
    for (const token of tokens) expect(await ask('/runs/me', bearer(token))).toMatchObject({ status: 401 });
  });

  it('answers 503 while the key set cannot be fetched, and still accepts API keys', async () => {
    const { options, signs, server } = await issuer();
    const { ask } = await serve(options);
    server.close();
    const token = await tokenWith({}, { alg: 'RS256', key: signs, kid: 'k1' });
    expect(await ask('/runs/me', bearer(token))).toMatchObject({
      status: 503,
      body: { code: 'AUTH_UNAVAILABLE' },
    });
    expect(await ask('/runs/me', { 'x-api-key': apiKey })).toMatchObject({ status: 200 });
  });
});

describe('AuthGuard with an API key', () => {
  it('accepts an API key in either header, beside access tokens', async () => {
    const { ask } = await serve({ kind: 'credentials', jwt, apiKeys });
    const nightly = { userId: 'nightly', tenant: 'acme', roles: ['batch'] };
    expect(await ask('/runs/me', { 'x-api-key': apiKey })).toMatchObject({ status: 200, body: nightly });
    expect(await ask('/runs/me', bearer(apiKey))).toMatchObject({ status: 200, body: nightly });
    expect(await ask('/runs/me', bearer(await tokenWith()))).toMatchObject({ status: 200, body: ada });
  });

  it.each(['', apiKey.slice(0, -1), `${apiKey}x`])('refuses the wrong API key %j', async (key) => {
    const { ask } = await serve({ kind: 'credentials', apiKeys });
    expect(await ask('/runs/me', { 'x-api-key': key })).toMatchObject({ status: 401 });
  });
});

describe('AuthGuard with a stream ticket', () => {
  it("accepts a stream ticket for its run's events, and again for a reconnect", async () => {
    const { ask, tickets } = await serve({ kind: 'credentials', jwt });
    const { ticket } = await tickets.issue(
      { principal: ada, source: jwtSource(jwt) },
      { kind: 'run-events', id: 'r1' },
    );
    const path = `/runs/r1/events?ticket=${ticket}`;
    expect(await ask(path)).toMatchObject({ status: 200, type: 'text/event-stream', body: ada });
    expect(await ask(path, { 'last-event-id': 'r1.1.1' })).toMatchObject({ status: 200, body: ada });
  });

  it('refuses a stream ticket for another run, another route or in a header or cookie', async () => {
    const { ask, tickets } = await serve({ kind: 'credentials', jwt });
    const { ticket } = await tickets.issue(
      { principal: ada, source: jwtSource(jwt) },
      { kind: 'run-events', id: 'r1' },
    );
    for (const path of [
      `/runs/r2/events?ticket=${ticket}`,
      `/runs/r1?ticket=${ticket}`,
      `/runs/r1/events?ticket=${ticket}&ticket=${ticket}`,
    ])
      expect(await ask(path)).toMatchObject({ status: 401, type: 'application/json' });
    expect(await ask('/runs/r1/events', bearer(ticket))).toMatchObject({ status: 401 });
    expect(await ask('/runs/r1/events', { 'x-api-key': ticket })).toMatchObject({ status: 401 });
    expect(await ask('/runs/r1/events', { cookie: `agent-stream-session=${ticket}` })).toMatchObject({
      status: 401,
    });
  });

  it('accepts stream tickets when the host authenticates', async () => {
    const { ask, tickets } = await serve({ kind: 'host', getPrincipal: () => undefined });
    const { ticket } = await tickets.issue(
      { principal: ada, source: 'host' },
      { kind: 'run-events', id: 'r1' },
    );
    expect(await ask(`/runs/r1/events?ticket=${ticket}`)).toMatchObject({ status: 200, body: ada });
  });
});

describe('AuthGuard without auth', () => {
  it('takes every local caller as the development principal with all roles', async () => {
    const { ask } = await serve({ kind: 'local' });
    const local = { userId: 'local', tenant: 'local', roles: ['*'] };
    expect(await ask('/runs/me')).toMatchObject({ status: 200, body: local });
    expect(await ask('/runs/me', { host: 'localhost:3000' })).toMatchObject({ status: 200, body: local });
  });

  it('refuses rebound host names and pages of other origins', async () => {
    const { ask } = await serve({ kind: 'local' });
    const refused = { status: 403, type: 'application/json', body: { code: 'ORIGIN_REFUSED' } };
    expect(await ask('/runs/r1/events', { host: 'evil.example' })).toMatchObject(refused);
    expect(await ask('/runs', { origin: 'https://evil.example' }, 'POST')).toMatchObject(refused);
  });
});

describe("AuthGuard with a host's own function", () => {
  it("takes the principal from the host's function and refuses requests without one", async () => {
    const { ask } = await serve({
      kind: 'host',
      getPrincipal: async (request) => (request.headers['x-user'] === 'ada' ? ada : undefined),
    });
    expect(await ask('/runs/me', { 'x-user': 'ada' })).toMatchObject({ status: 200, body: ada });
    expect(await ask('/runs/me', { 'x-user': 'eve' })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
  });
});

describe('two auth modules in one application', () => {
  @Controller('first')
  @UseGuards(AuthGuard)
  @UseFilters(StatusFilter)
  class FirstController extends RunsController {}

  @Controller('second')
  @UseGuards(AuthGuard)
  @UseFilters(StatusFilter)
  class SecondController extends RunsController {}

  it('accepts in each of two auth modules only tokens of its own issuer', async () => {
    const other = 'the secret of quite another issuer';
    @Module({ imports: [authModule({ kind: 'credentials', jwt })], controllers: [FirstController] })
    class FirstModule {}
    @Module({
      imports: [authModule({ kind: 'credentials', jwt: { ...jwt, secret: other, jwksUrl: undefined } })],
      controllers: [SecondController],
    })
    class SecondModule {}
    const module = await Test.createTestingModule({ imports: [FirstModule, SecondModule] }).compile();
    const app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    running.push(app);
    const { port } = app.getHttpServer().address() as AddressInfo;
    const headers = bearer(await tokenWith());
    expect(await ask(port, '/first/me', headers, 'GET')).toMatchObject({ status: 200 });
    expect(await ask(port, '/second/me', headers, 'GET')).toMatchObject({ status: 401 });
  });
});

it('refuses to start an app with invalid auth options and names all of them', async () => {
  const start = serve({ kind: 'credentials', jwt: { secret: 'short' }, sessionTtlMs: -1 });
  await expect(start).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/jwt\.secret.*\n.*sessionTtlMs/),
  });
});
