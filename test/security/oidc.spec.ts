import { describe, expect, it } from '@jest/globals';
import { decodeJwt, type JWTPayload } from 'jose';
import { appServers, type AppServer } from '../support/app.server.js';
import { faultProxies } from '../support/fault-proxies.js';
import {
  CLIENT,
  openIdProviders,
  settingsFor,
  signInAtProvider,
  type OpenIdProvider,
  type ProviderOptions,
} from '../support/openid.provider.js';
import { until } from '../support/until.js';
import { WebBrowser } from '../support/web.browser.js';

const KEY = 'a-key-of-sixteen-or-more';
const BEGIN = '/api/auth/session/oidc';
const CALLBACK = '/api/auth/session/oidc/callback';

interface Session {
  readonly principal: { readonly userId: string; readonly tenant: string; readonly roles: string[] } | null;
  readonly name?: string;
  readonly signIn: readonly string[];
  readonly expiresAt?: number;
}

describe('sign-in at an OpenID provider', () => {
  const startApp = appServers();
  const startProvider = openIdProviders();
  const proxyTo = faultProxies();

  /** An app behind a front door, whose address the provider knows before the app is there. */
  async function start(
    options: Partial<ProviderOptions> = {},
    settings: Record<string, string> | ((provider: OpenIdProvider) => Record<string, string>) = {},
  ) {
    const door: { port: number | undefined } = { port: undefined };
    const proxy = await proxyTo(door);
    const { origin } = proxy;
    const provider = await startProvider({ appOrigin: origin, ...options });
    const open = async (): Promise<AppServer> => {
      const own = typeof settings === 'function' ? settings(provider) : settings;
      const app = await startApp({ ...settingsFor(provider, origin), ...own });
      door.port = Number(new URL(app.origin).port);
      return app;
    };
    return { app: await open(), provider, origin, door, open };
  }

  const isCallback = (url: URL) => url.pathname === CALLBACK;
  const readSession = async (browser: WebBrowser, origin: string) =>
    (await (await browser.send(`${origin}/api/auth/session`)).json()) as Session;

  it('signs in a person, leads back to the page that was left, and tells nobody the code or a token', async () => {
    const { app, origin } = await start();
    const browser = new WebBrowser();
    expect(await readSession(browser, origin)).toMatchObject({ principal: null, signIn: ['oidc'] });
    const callback = await signInAtProvider(browser, origin, {
      returnTo: '/?thread=t1&branch=r2',
      stop: isCallback,
    });
    const [attempt] = browser.cookiesFor(new URL(origin));
    expect(attempt?.line).toMatch(/; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);

    const { url, response } = await browser.open(callback);
    expect(url.href).toBe(`${origin}/?thread=t1&branch=r2`);
    expect(response?.status).toBe(200);
    expect(await readSession(browser, origin)).toMatchObject({
      principal: { userId: 'ada', tenant: 'acme', roles: ['clerk'] },
      name: 'Ada Lovelace',
    });
    const cookies = browser.cookiesFor(new URL('/api/auth/session', origin));
    expect(cookies.map(({ name }) => name)).toEqual([
      'agent-stream-session',
      'agent-stream-session-id-token',
    ]);
    for (const { line } of cookies) expect(line).toMatch(/HttpOnly; SameSite=Strict$/);
    const started = await browser.send(`${origin}/api/chat/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'hello' }),
    });
    expect(started.status).toBe(202);
    const code = callback.searchParams.get('code')!;
    expect(code.length).toBeGreaterThan(20);
    for (const secret of [code, attempt!.value, ...cookies.map(({ value }) => value)])
      expect(app.log.join('\n')).not.toContain(secret);
    expect(app.log.join('\n')).toContain('by oidc');
  });

  it('signs in a person who comes back to another instance', async () => {
    const shared = { AUTH_TICKET_SECRET: 'a secret of at least thirty-two characters' };
    const { origin, door, open } = await start({}, shared);
    const browser = new WebBrowser();
    const first = door.port;
    const callback = await signInAtProvider(browser, origin, { stop: isCallback });
    await open();
    expect(door.port).not.toBe(first);
    await browser.open(callback);
    expect(await readSession(browser, origin)).toMatchObject({ principal: { userId: 'ada' } });
  });

  it.each(['client_secret_post', 'none'] as const)(
    'speaks with a provider that takes the secret by %s',
    async (secretIn) => {
      const { origin } = await start(
        { secretIn },
        secretIn === 'none' ? { AUTH_OIDC_CLIENT_SECRET: '' } : {},
      );
      const browser = new WebBrowser();
      await signInAtProvider(browser, origin);
      expect(await readSession(browser, origin)).toMatchObject({ principal: { userId: 'ada' } });
    },
  );

  it('signs nobody in with an answer of another state, and leaves the sign-in that is under way', async () => {
    const { origin } = await start();
    const browser = new WebBrowser();
    const callback = await signInAtProvider(browser, origin, { stop: isCallback });
    const foreign = new URL(callback);
    foreign.searchParams.set('state', 'another');
    const { url } = await browser.open(foreign);
    expect(url.href).toBe(`${origin}/?signIn=expired`);
    expect(await readSession(browser, origin)).toMatchObject({ principal: null });
    await browser.open(callback);
    expect(await readSession(browser, origin)).toMatchObject({ principal: { userId: 'ada' } });
  });

  it('takes each answer of the provider once', async () => {
    const { origin } = await start();
    const browser = new WebBrowser();
    const callback = await signInAtProvider(browser, origin, { stop: isCallback });
    const cookies = browser.cookiesFor(new URL(origin));
    await browser.open(callback);
    const copy = new WebBrowser();
    expect((await copy.open(callback)).url.search).toBe('?signIn=expired');
    // With everything that the first browser had: the provider does not give a token twice.
    for (const cookie of cookies) copy.take(new URL(origin), cookie);
    expect((await copy.open(callback)).url.search).toBe('?signIn=expired');
    expect(await readSession(copy, origin)).toMatchObject({ principal: null });
  });

  it('signs nobody in with a code that another browser was given', async () => {
    const { origin } = await start();
    const [victim, thief] = [new WebBrowser(), new WebBrowser()];
    const stolen = await signInAtProvider(victim, origin, { stop: isCallback });
    const own = await signInAtProvider(thief, origin, { login: 'eve', stop: isCallback });
    // The code belongs to the verifier of the victim (PKCE), which the thief does not have.
    own.searchParams.set('code', stolen.searchParams.get('code')!);
    expect((await thief.open(own)).url.search).toBe('?signIn=expired');
    expect(await readSession(thief, origin)).toMatchObject({ principal: null });
    // Nor can somebody be made to sign in as another person.
    const bait = await signInAtProvider(new WebBrowser(), origin, { login: 'eve', stop: isCallback });
    expect((await victim.open(bait)).url.search).toBe('?signIn=expired');
    expect(await readSession(victim, origin)).toMatchObject({ principal: null });
  });

  it('ends a session with the ID token', async () => {
    const { origin } = await start({ idTokenSeconds: () => 10 });
    const browser = new WebBrowser();
    await signInAtProvider(browser, origin);
    const { principal, expiresAt } = await readSession(browser, origin);
    expect(principal).toMatchObject({ userId: 'ada' });
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 10_000);
    await until(async () => (await readSession(browser, origin)).principal === null);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt!);
  });

  it.each([
    ['another site', 'https://evil.example/'],
    ['another host', '//evil.example/'],
    ['another host, by a backslash', '/\\evil.example/'],
    ['another host, by a tab', '/\t/evil.example/'],
    ['a script', 'javascript:alert(1)'],
    ['a path that is too long', `/${'x'.repeat(3_000)}`],
    ['the sign-in again', '/api/auth/session/oidc?returnTo=/'],
    ['the sign-in again, by dots', '/../api/auth/session/oidc'],
  ])('leads back to the page when asked to go to %s', async (_, returnTo) => {
    const { origin } = await start();
    expect((await signInAtProvider(new WebBrowser(), origin, { returnTo })).href).toBe(`${origin}/`);
  });

  it('keeps a path on its own origin that looks like another host', async () => {
    const { origin } = await start();
    const stop = (url: URL) => url.pathname.includes('evil');
    const url = await signInAtProvider(new WebBrowser(), origin, { returnTo: '/.//evil.example/', stop });
    expect(url.origin).toBe(origin);
  });

  it.each<[string, string, (claims: JWTPayload) => { claims: JWTPayload; foreignKey?: boolean }]>([
    ['for another audience', 'failed', (claims) => ({ claims: { ...claims, aud: 'another-client' } })],
    ['of another nonce', 'failed', (claims) => ({ claims: { ...claims, nonce: 'another' } })],
    ['without a nonce', 'failed', (claims) => ({ claims: { ...claims, nonce: undefined } })],
    ['of another issuer', 'failed', (claims) => ({ claims: { ...claims, iss: 'https://evil.example' } })],
    ['that is over', 'failed', (claims) => ({ claims: { ...claims, exp: 1_000_000_000 } })],
    ['that another key has signed', 'failed', (claims) => ({ claims, foreignKey: true })],
    ['whose tenant is no text', 'claims', (claims) => ({ claims: { ...claims, org: 7 } })],
  ])('believes no ID token %s', async (_, reason, forge) => {
    const { app, origin } = await start({ forge });
    const browser = new WebBrowser();
    expect((await signInAtProvider(browser, origin)).href).toBe(`${origin}/?signIn=${reason}`);
    expect(await readSession(browser, origin)).toMatchObject({ principal: null });
    expect(
      app.log.some((line) => line.includes('"subject":"oidc"') && line.includes(`"reason":"${reason}"`)),
    ).toBe(true);
  });

  it('believes an ID token that was signed again by the key of the provider', async () => {
    const { origin } = await start({ forge: (claims) => ({ claims }) });
    const browser = new WebBrowser();
    await signInAtProvider(browser, origin);
    expect(await readSession(browser, origin)).toMatchObject({ principal: { userId: 'ada' } });
  });

  it('takes no ID token for an access token, where both have the same audience', async () => {
    const { app, origin } = await start({}, ({ issuer }) => ({
      AUTH_JWKS_URL: `${issuer}/jwks`,
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: CLIENT.id,
    }));
    const browser = new WebBrowser();
    await signInAtProvider(browser, origin);
    const answer = await browser.send(`${origin}/api/auth/session`, { method: 'DELETE' });
    const { signOutUrl } = (await answer.json()) as { signOutUrl: string };
    const idToken = new URL(signOutUrl).searchParams.get('id_token_hint')!;
    const refused = await fetch(`${app.origin}/api/chat/threads`, {
      headers: { authorization: `Bearer ${idToken}` },
    });
    expect(refused.status).toBe(401);
    expect(app.log.some((line) => line.includes('"reason":"id-token"'))).toBe(true);
  });

  it('slows down an address from which answers come that are not of the provider', async () => {
    const { app, origin } = await start({}, { AUTH_API_KEYS: `${KEY}:bot@acme` });
    for (let times = 0; times < 5; times += 1) {
      const browser = new WebBrowser();
      const callback = await signInAtProvider(browser, origin, { stop: isCallback });
      // Refused before the provider is asked (RFC 9207).
      callback.searchParams.set('iss', 'https://evil.example');
      expect((await browser.open(callback)).url.search).toBe('?signIn=failed');
    }
    // The first wrong key from there would cost no time otherwise.
    await fetch(`${app.origin}/api/chat/threads`, { headers: { 'x-api-key': 'a-key-of-nobody-here' } });
    expect(app.log.some((line) => line.includes('credentials-slowed'))).toBe(true);
  });

  it('leads back without what the provider has said, when a person cancels', async () => {
    const { origin } = await start();
    const browser = new WebBrowser();
    const { url } = await browser.open(`${origin}${BEGIN}?returnTo=%2F%3Fthread%3Dt1`);
    expect((await browser.submit(url, { go: 'no' })).url.href).toBe(`${origin}/?thread=t1&signIn=denied`);
  });

  it('starts without the provider, serves others meanwhile, and signs in once the provider is there', async () => {
    const target: { port: number | undefined } = { port: undefined };
    const { origin: issuer } = await proxyTo(target);
    const provider = await startProvider({ appOrigin: 'http://127.0.0.1:1', issuer });
    const settings = settingsFor(provider, 'http://127.0.0.1:1');
    const app = await startApp({ ...settings, AUTH_API_KEYS: `${KEY}:bot@acme` });
    const browser = new WebBrowser();
    const begin = () => browser.open(`${app.origin}${BEGIN}`, (url) => url.origin !== app.origin);
    expect((await begin()).url.href).toBe('http://127.0.0.1:1/?signIn=unavailable');
    const asBot = await fetch(`${app.origin}/api/chat/threads`, { headers: { 'x-api-key': KEY } });
    expect(asBot.status).toBe(200);
    target.port = provider.port;
    await until(async () => (await begin()).url.origin === issuer);
  });

  it('signs out here and at the provider, which then asks again who it is', async () => {
    const { origin } = await start();
    const browser = new WebBrowser();
    await signInAtProvider(browser, origin);
    // While the provider knows the person, it asks nothing.
    expect((await browser.open(`${origin}${BEGIN}`)).url.href).toBe(`${origin}/`);
    const answer = await browser.send(`${origin}/api/auth/session`, { method: 'DELETE' });
    expect(answer.status).toBe(200);
    const { signOutUrl } = (await answer.json()) as { signOutUrl: string };
    expect(decodeJwt(new URL(signOutUrl).searchParams.get('id_token_hint')!)).toMatchObject({ sub: 'ada' });
    expect(await readSession(browser, origin)).toMatchObject({ principal: null });
    expect(browser.cookiesFor(new URL('/api/auth/session', origin))).toEqual([]);

    const { url, response } = await browser.open(signOutUrl);
    const page = await response!.text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const { url: after } = await browser.submit(new URL('/session/end/confirm', url), {
      xsrf,
      logout: 'yes',
    });
    expect(after.href).toBe(`${origin}/`);
    expect((await browser.open(`${origin}${BEGIN}`)).url.pathname).toMatch(/^\/interaction\//);
  });

  it('has no such sign-in where no provider is configured, and ends other sessions as before', async () => {
    const app = await startApp({ AUTH_API_KEYS: `${KEY}:bot@acme` });
    for (const path of [BEGIN, CALLBACK]) {
      const answer = await fetch(app.origin + path, { redirect: 'manual' });
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
    }
    const browser = new WebBrowser();
    const signedIn = await browser.send(`${app.origin}/api/auth/session`, {
      method: 'POST',
      headers: { 'x-api-key': KEY },
    });
    expect(await signedIn.json()).toMatchObject({ signIn: ['token'], principal: { userId: 'bot' } });
    const out = await browser.send(`${app.origin}/api/auth/session`, { method: 'DELETE' });
    expect([out.status, await out.text()]).toEqual([204, '']);
  });
});
