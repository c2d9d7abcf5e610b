import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { callerAddress } from '../../security/caller-address.js';
import type { SecurityLog } from '../../security/security-log.service.js';
import { DEFAULT_COOKIE_NAME, type CredentialsAuthOptions, type OidcOptions } from '../auth.options.js';
import type { Authentication, IncomingRequest } from '../authentication.js';
import type { CredentialBrake } from '../credential-brake.js';
import { oidcSource, type CredentialSource } from '../credential-source.js';
import { toPersonName, toPrincipal } from '../credentials/claims.js';
import { HostCookie } from '../host-cookie.js';
import { isByHttps, LONGEST_COOKIE, sessionCookie } from '../session-cookie.js';
import type { SessionService } from '../session.service.js';
import type { SigningKeys } from '../signing-key.js';
import { OidcClient, type SignedInPerson } from './oidc.client.js';
import { OidcFailure, toOidcFailure } from './oidc.failure.js';
import { toHomeUrl, toReturnUrl, toSessionPath } from './return-url.js';
import { SealedValue } from './sealed-value.js';

/** Time that a person may take at the provider. */
const ATTEMPT_TTL_MS = 10 * 60_000;

/** Query parameter that tells the page why a sign-in failed. */
const FAILURE_PARAMETER = 'signIn';

/** The sign-in at a provider; undefined where there is none. */
export const OIDC_SIGN_IN = Symbol('OIDC_SIGN_IN');

const Attempt = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
});
type Attempt = z.infer<typeof Attempt>;

const HeldToken = z.object({ idToken: z.string() });

/** Place where a browser goes next, and the `Set-Cookie` headers that it takes along. */
export interface Departure {
  readonly url: string;
  readonly cookies: readonly string[];
}

export interface OidcSignInParts {
  readonly keys: SigningKeys;
  readonly sessions: SessionService;
  readonly brake: CredentialBrake;
  readonly security: SecurityLog;
}

/**
 * Signs people in at an OpenID provider. What has to be remembered while they are away travels with the browser, encrypted, so that they
 * may come back to another instance.
 */
export class OidcSignIn {
  private readonly logger = new Logger(OidcSignIn.name);
  private readonly client: OidcClient;
  private readonly attempts: SealedValue;
  private readonly attemptCookie: HostCookie;
  private readonly idTokens: SealedValue;
  private readonly idTokenCookie: HostCookie;

  constructor(
    private readonly options: CredentialsAuthOptions,
    private readonly provider: OidcOptions,
    private readonly parts: OidcSignInParts & { readonly sessionTtlMs: number },
  ) {
    const { cookieName = DEFAULT_COOKIE_NAME } = options;
    this.client = new OidcClient(provider);
    this.attempts = new SealedValue(parts.keys, 'oidc-sign-in', ATTEMPT_TTL_MS);
    // Lax: the provider leads the browser back from its own site.
    const isHttps = isByHttps(provider);
    // A name with a prefix promises what a cookie with a path of its own does not keep.
    const name = cookieName.replace(/^__(?:Host|Secure)-/, '');
    this.attemptCookie = new HostCookie(`${name}-sign-in`, { sameSite: 'Lax', isHttps });
    this.idTokens = new SealedValue(parts.keys, 'oidc-id-token', parts.sessionTtlMs);
    const path = toSessionPath(provider);
    this.idTokenCookie = new HostCookie(`${name}-id-token`, { sameSite: 'Strict', path, isHttps });
  }

  /** Sends a browser to the provider; back to the page if there is no provider to be reached. */
  async begin(request: IncomingRequest, returnTo: unknown): Promise<Departure> {
    const back = toReturnUrl(returnTo, this.provider);
    try {
      const { url, attempt } = await this.client.begin();
      const value = await this.attempts.seal({ ...attempt, returnTo: back.href });
      return {
        url: url.href,
        cookies: [this.attemptCookie.write(request, { value, maxAge: ATTEMPT_TTL_MS / 1000 })],
      };
    } catch (error) {
      return this.fail(request, back, error);
    }
  }

  /** Signs in the person whom the provider has sent back, and sends the browser to the page that it has left. */
  async finish(request: IncomingRequest): Promise<Departure> {
    const attempt = await this.readAttempt(request);
    const back = attempt ? new URL(attempt.returnTo) : toHomeUrl(this.provider);
    const over = this.attemptCookie.write(request, { value: '', maxAge: 0 });
    const query = toParameters(request.query);
    // An answer that this browser has not asked for: of another tab, another person, or an earlier time. The attempt that is under way stays.
    const isForeign = query.get('state') !== attempt?.state;
    try {
      if (!attempt || isForeign) throw new OidcFailure('expired');
      const person = await this.identify(request, query, attempt);
      const cookies = await this.startSession(request, person);
      return { url: back.href, cookies: [over, ...cookies] };
    } catch (error) {
      const { url } = this.fail(request, back, error);
      return { url, cookies: attempt && isForeign ? [] : [over] };
    }
  }

  /**
   * Returns the URL at which the provider ends its own session, for a session that was begun there; undefined if it has none, or cannot be
   * asked now.
   */
  async signOutUrl(
    request: IncomingRequest,
    source: CredentialSource | undefined,
  ): Promise<string | undefined> {
    if (source !== oidcSource(this.provider)) return undefined;
    try {
      const held = HeldToken.safeParse(await this.idTokens.open(this.idTokenCookie.read(request) ?? ''));
      const homeUrl = toHomeUrl(this.provider);
      const url = await this.client.signOutUrl({
        homeUrl,
        ...(held.success && { idToken: held.data.idToken }),
      });
      return url?.href;
    } catch (error) {
      this.logger.warn(`The provider could not be asked where people sign out: ${toText(error)}`);
      return undefined;
    }
  }

  /** Returns the `Set-Cookie` header that removes what is kept for sign-out. */
  forget(request: IncomingRequest): string {
    return this.idTokenCookie.write(request, { value: '', maxAge: 0 });
  }

  private async readAttempt(request: IncomingRequest): Promise<Attempt | undefined> {
    const value = this.attemptCookie.read(request);
    return value === undefined ? undefined : Attempt.safeParse(await this.attempts.open(value)).data;
  }

  /** Answers that are not the provider's are slowed down like other wrong credentials. */
  private async identify(
    request: IncomingRequest,
    query: URLSearchParams,
    attempt: Attempt,
  ): Promise<SignedInPerson> {
    const answer = query.get('code') ?? attempt.state;
    const tried = this.parts.brake.attempt(callerAddress(request), [answer]);
    await this.parts.brake.hold(tried);
    try {
      return await this.client.finish(query, attempt);
    } catch (error) {
      const failure = toOidcFailure(error);
      // A provider that is away tells nothing of those who come back from it.
      if (failure.reason !== 'unavailable') this.parts.brake.failed(tried, answer, true);
      throw failure;
    }
  }

  private async startSession(
    request: IncomingRequest,
    { claims, idToken }: SignedInPerson,
  ): Promise<string[]> {
    const principal = toPrincipal(claims, this.provider);
    // Whose address is not confirmed may have written another person's.
    const isUnproven = this.provider.claims?.userId === 'email' && claims['email_verified'] !== true;
    if (!principal || isUnproven) throw new OidcFailure('claims');
    const name = toPersonName(claims);
    const caller: Omit<Authentication, 'session' | 'ended'> = {
      principal,
      ...(name !== undefined && { name }),
      via: 'oidc',
      expiresAt: claims.exp * 1000,
      source: oidcSource(this.provider),
    };
    const issued = await this.parts.sessions.issue(caller, callerAddress(request));
    if (!issued)
      throw new OidcFailure('claims', {
        cause: new Error('The roles do not fit into a cookie: name fewer.'),
      });
    const { token, expiresAt } = issued;
    const maxAge = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
    const held = await this.idTokens.seal({ idToken });
    // Without it the provider may ask people whether they want to leave; one that does not fit is no reason to keep them out.
    const hint = held.length <= LONGEST_COOKIE ? { value: held, maxAge } : { value: '', maxAge: 0 };
    return [
      sessionCookie(this.options, request, { value: token, maxAge }),
      this.idTokenCookie.write(request, hint),
    ];
  }

  private fail(request: IncomingRequest, back: URL, error: unknown): Departure {
    const { reason, cause } = toOidcFailure(error);
    const address = callerAddress(request);
    this.parts.security.record({ type: 'credentials-refused', address, reason, subject: 'oidc' });
    // For the operator: what is wrong here is often a setting. The person is told in a sentence of the page.
    if (cause !== undefined)
      this.logger.warn(`A sign-in at the provider failed (${reason}): ${toText(cause)}`);
    const url = new URL(back);
    url.searchParams.set(FAILURE_PARAMETER, reason);
    return { url: url.href, cookies: [] };
  }
}

/** The parameters of a query as they came: one that came twice is there twice, and is refused. */
function toParameters(query: unknown): URLSearchParams {
  const pairs = Object.entries((query ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => (typeof each === 'string' ? [[name, each]] : [])),
  );
  return new URLSearchParams(pairs);
}

/** An error with the codes of those behind it; none of them holds a code, a token or a secret. */
function toText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, error: told } = error as Error & { code?: unknown; error?: unknown };
  const facts = [code, told].filter((each) => typeof each === 'string');
  const cause = error.cause instanceof Error ? `; ${error.cause.message}` : '';
  return `${error.message}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}${cause}`;
}
