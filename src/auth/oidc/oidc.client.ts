import type { Configuration } from 'openid-client';
import type { JWTPayload } from 'jose';
import { DEFAULT_SCOPES, type OidcOptions } from '../auth.options.js';
import { OidcFailure } from './oidc.failure.js';

const TIMEOUT_S = 5;

/** The provider's endpoints may move. Its keys are read again by themselves, when a token names one that is not known. */
const REDISCOVER_AFTER_MS = 3_600_000;

/** A provider that has just failed is not asked again by each person who waits. */
const RETRY_AFTER_MS = 1_000;

/** Values that tie the answer of the provider to the browser that left for it. */
export interface SignInAttempt {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE: proves to the provider that the code was asked for here (RFC 7636). */
  readonly verifier: string;
}

/** Identity of the person who has signed in at the provider. */
export interface SignedInPerson {
  readonly claims: JWTPayload & { readonly exp: number };
  readonly idToken: string;
}

/** Speaks OpenID Connect with one provider, by openid-client. The package is loaded, and the provider asked, when somebody first signs in. */
export class OidcClient {
  private found: { readonly config: Configuration; readonly at: number } | undefined;
  private finding: Promise<Configuration> | undefined;
  private failed: { readonly error: unknown; readonly at: number } | undefined;

  constructor(
    private readonly options: OidcOptions,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Returns the URL at the provider where a person signs in, and what its answer has to be checked with. */
  async begin(): Promise<{ readonly url: URL; readonly attempt: SignInAttempt }> {
    const openid = await loadClient();
    const config = await this.discover();
    const attempt = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    };
    const { scopes = DEFAULT_SCOPES, redirectUri } = this.options;
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: [...new Set(['openid', ...scopes])].join(' '),
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { url, attempt };
  }

  /**
   * Exchanges the code of an answer for an ID token, whose signature, issuer, audience, nonce and times are checked.
   *
   * @param query the parameters that the provider has sent the browser back with
   * @throws Error of openid-client
   */
  async finish(query: URLSearchParams, { state, nonce, verifier }: SignInAttempt): Promise<SignedInPerson> {
    const openid = await loadClient();
    const config = await this.discover();
    // Not as the request has it: behind a proxy, the server is called by another name than the provider knows.
    const url = new URL(this.options.redirectUri);
    url.search = query.toString();
    const tokens = await openid.authorizationCodeGrant(config, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims || tokens.id_token === undefined) throw new OidcFailure('failed');
    return { claims, idToken: tokens.id_token };
  }

  /** Returns the URL at which the provider ends its own session; undefined if it has none (OpenID Connect RP-Initiated Logout, section 2). */
  async signOutUrl({ idToken, homeUrl }: { idToken?: string; homeUrl: URL }): Promise<URL | undefined> {
    const openid = await loadClient();
    const config = await this.discover();
    if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
    return openid.buildEndSessionUrl(config, {
      post_logout_redirect_uri: homeUrl.href,
      ...(idToken !== undefined && { id_token_hint: idToken }),
    });
  }

  private async discover(): Promise<Configuration> {
    if (this.found && this.now() - this.found.at < REDISCOVER_AFTER_MS) return this.found.config;
    if (!this.found && this.failed && this.now() - this.failed.at < RETRY_AFTER_MS) throw this.failed.error;
    this.finding ??= this.find().finally(() => (this.finding = undefined));
    try {
      return await this.finding;
    } catch (error) {
      // What was true an hour ago is better than nothing.
      if (this.found) return this.found.config;
      throw error;
    }
  }

  private async find(): Promise<Configuration> {
    const openid = await loadClient();
    const { issuer, clientId, clientSecret } = this.options;
    const url = new URL(issuer);
    try {
      const config = await openid.discovery(url, clientId, undefined, authenticate(openid, clientSecret), {
        timeout: TIMEOUT_S,
        // The options allow it on loopback only.
        execute: url.protocol === 'http:' ? [openid.allowInsecureRequests] : [],
      });
      // The signature too, and not only the connection that the token came by.
      openid.enableNonRepudiationChecks(config);
      this.found = { config, at: this.now() };
      this.failed = undefined;
      return config;
    } catch (error) {
      this.failed = { error, at: this.now() };
      throw error;
    }
  }
}

type OpenId = typeof import('openid-client');

function loadClient(): Promise<OpenId> {
  return import('openid-client');
}

/** Sends the secret in the way that the provider takes: in a header unless it says that it only takes a form (OpenID Connect Discovery, section 3). */
function authenticate(openid: OpenId, secret: string | undefined): ReturnType<OpenId['None']> {
  if (secret === undefined) return openid.None();
  const byHeader = openid.ClientSecretBasic(secret);
  const byForm = openid.ClientSecretPost(secret);
  return (server, client, body, headers) => {
    const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = server;
    const isInHeader = methods.includes('client_secret_basic') || !methods.includes('client_secret_post');
    (isInHeader ? byHeader : byForm)(server, client, body, headers);
  };
}
