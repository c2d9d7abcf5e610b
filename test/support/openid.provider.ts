import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach } from '@jest/globals';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { Provider, type Configuration } from 'oidc-provider';
import type { WebBrowser } from './web.browser.js';
import { providerStore } from './provider.store.js';

export const CLIENT = { id: 'agent-stream', secret: 'the-secret-of-the-client-at-the-provider' };

/** Claims of each person, beside `sub`. */
const PEOPLE: Readonly<Record<string, object>> = {
  ada: { name: 'Ada Lovelace', org: 'acme', groups: ['clerk'] },
  eve: { name: '<b>Eve</b>', org: 'evil' },
  // A person of no tenant that could be one.
  noname: { org: 7 },
};

export interface ProviderOptions {
  /** Origin of the app, as browsers reach it. */
  readonly appOrigin: string;
  /** Seconds that an ID token is good for. Default 3,600. */
  readonly idTokenSeconds?: () => number;
  /** Way in which the client sends its secret. Default in a header. */
  readonly secretIn?: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Where browsers and the app reach it. Default: itself. */
  readonly issuer?: string;
  /** Changes the claims of each ID token, which is then signed as before; or, with `foreignKey`, by a key that is not the provider's. */
  readonly forge?: (claims: JWTPayload) => { readonly claims: JWTPayload; readonly foreignKey?: boolean };
}

/** A real OpenID provider on a port of its own, whose sign-in is a page with one field: the name. */
export class OpenIdProvider {
  private constructor(
    private readonly server: Server,
    readonly issuer: string,
    readonly port: number,
  ) {}

  static async start(options: ProviderOptions): Promise<OpenIdProvider> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { issuer = `http://127.0.0.1:${port}`, forge } = options;
    const keys = await generateKeyPair('RS256', { extractable: true });
    const provider = new Provider(issuer, await configure(options, keys.privateKey));
    if (forge) await forgeTokens(provider, forge, keys.privateKey);
    const answer = provider.callback();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
      interact(provider, request, response).catch((error: unknown) =>
        response.writeHead(500).end(String(error)),
      );
    });
    return new OpenIdProvider(server, issuer, port);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
  }
}

/** Starts providers that are closed after each test. */
export function openIdProviders(): (options: ProviderOptions) => Promise<OpenIdProvider> {
  const providers: OpenIdProvider[] = [];
  afterEach(async () => {
    for (const provider of providers.splice(0)) await provider.close();
  });
  return async (options) => {
    const provider = await OpenIdProvider.start(options);
    providers.push(provider);
    return provider;
  };
}

/** The settings of an app that lets people sign in there. */
export function settingsFor({ issuer }: OpenIdProvider, appOrigin: string): Record<string, string> {
  return {
    AUTH_OIDC_ISSUER: issuer,
    AUTH_OIDC_CLIENT_ID: CLIENT.id,
    AUTH_OIDC_CLIENT_SECRET: CLIENT.secret,
    AUTH_TENANT_CLAIM: 'org',
    AUTH_ROLES_CLAIM: 'groups',
    PUBLIC_URL: appOrigin,
  };
}

export interface ProviderSignIn {
  /** Name of the person. Default `ada`. */
  readonly login?: string;
  /** Path to come back to. Default `/`. */
  readonly returnTo?: string;
  /** Stops where it says so. Default: at the page. */
  readonly stop?: (url: URL) => boolean;
}

/** Leaves an app for the provider, and signs in there. Returns where that has led to. @throws Error if the provider does not ask who it is */
export async function signInAtProvider(
  browser: WebBrowser,
  appOrigin: string,
  { login = 'ada', returnTo = '/', stop }: ProviderSignIn = {},
): Promise<URL> {
  const query = new URLSearchParams({ returnTo }).toString();
  const { url } = await browser.open(`${appOrigin}/api/auth/session/oidc?${query}`);
  if (!url.pathname.startsWith('/interaction/')) throw new Error(`The provider did not ask: ${url.href}`);
  return (await browser.submit(url, { login, go: 'yes' }, stop)).url;
}

async function configure(
  { appOrigin, idTokenSeconds = () => 3_600, secretIn: method = 'client_secret_basic' }: ProviderOptions,
  privateKey: CryptoKey,
): Promise<Configuration> {
  return {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'first' }] },
    adapter: providerStore(),
    cookies: { keys: ['a key for the cookies of the provider'] },
    clients: [
      {
        client_id: CLIENT.id,
        ...(method !== 'none' && { client_secret: CLIENT.secret }),
        token_endpoint_auth_method: method,
        redirect_uris: [`${appOrigin}/api/auth/session/oidc/callback`],
        post_logout_redirect_uris: [`${appOrigin}/`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    clientAuthMethods: [method],
    claims: { openid: ['sub', 'org', 'groups'], profile: ['name'] },
    scopes: ['openid', 'profile', 'email'],
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: showLogout },
    },
    ttl: {
      IdToken: idTokenSeconds,
      AccessToken: 3_600,
      AuthorizationCode: 60,
      Session: 3_600,
      Interaction: 600,
      Grant: 3_600,
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    renderError: (context, { error }) => {
      context.body = error;
    },
    // Nobody is asked whether the app may know who they are: it is their employer's.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  };
}

async function forgeTokens(
  provider: Provider,
  forge: NonNullable<ProviderOptions['forge']>,
  own: CryptoKey,
): Promise<void> {
  const foreign = await generateKeyPair('RS256');
  provider.use(async (context, next) => {
    await next();
    const answer = context.body as { id_token?: string };
    if (context.path !== '/token' || !answer.id_token) return;
    const { claims, foreignKey } = forge(decodeJwt(answer.id_token));
    answer.id_token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'first' })
      .sign(foreignKey ? foreign.privateKey : own);
    context.body = answer;
  });
}

const showLogout = (context: { body?: unknown }, form: string): void => {
  context.body = `<!doctype html>${form}`;
};

const PAGE = `<!doctype html><html lang="en"><title>Provider</title><form method="post">
<label>Name <input name="login"></label><button name="go" value="yes">Continue</button>
<button name="go" value="no">Cancel</button></form></html>`;

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'GET') return void response.setHeader('content-type', 'text/html').end(PAGE);
  const form = new URLSearchParams(await text(request));
  const result =
    form.get('go') === 'no'
      ? { error: 'access_denied', error_description: 'The person has cancelled <b>it</b>.' }
      : { login: { accountId: form.get('login') ?? '' } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}
