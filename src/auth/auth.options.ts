import type { Principal } from '../principal.js';
import type { IncomingRequest } from './authentication.js';

/** Ways for callers to prove who they are. One of three kinds; nothing here is read from the environment. */
export type AuthOptions = LocalAuthOptions | CredentialsAuthOptions | HostAuthOptions;

/**
 * No auth: every caller is the development principal `{ userId: 'local', tenant: 'local' }`. Only requests addressed to a
 * loopback name, and from a loopback or allow-listed origin, are answered (`ORIGIN_REFUSED`), because a web page elsewhere
 * can reach a port of this machine. The caller must bind to loopback only.
 */
export interface LocalAuthOptions extends TicketOptions {
  readonly kind: 'local';
  /** Roles of the development principal. Default `['*']`: every role, so that restricted tools can be tried. */
  readonly roles?: readonly string[];
  /** Web origins beside loopback that may call, as `https://host:port`. Default none. */
  readonly allowedOrigins?: readonly string[];
}

/** Bearer tokens, API keys, sign-in at a provider, or several of these. At least one of `jwt`, `apiKeys` and `oidc` must be there. */
export interface CredentialsAuthOptions extends TicketOptions {
  readonly kind: 'credentials';
  readonly jwt?: JwtOptions;
  readonly apiKeys?: readonly ApiKeyOptions[];
  /** Lets browsers sign in at an OpenID provider. Needs the package openid-client. Default: they send a token or an API key. */
  readonly oidc?: OidcOptions;
  /**
   * The session cookie's name. Default `agent-stream-session`. Where the browser comes by https it begins with `__Host-`, so that
   * no other host can set it. Two instances on one host name need two names, or each sign-in ends the other's.
   */
  readonly cookieName?: string;
  /**
   * Maximum duration of a browser session, in milliseconds; never longer than its token. Default 8 hours. A session that was made
   * from an API key ends when that key is removed from `apiKeys` or stands for something else; one that was made from a token, or at a
   * provider, when the rules in `jwt` or `oidc` change.
   */
  readonly sessionTtlMs?: number;
  /**
   * Callers with one of these roles may end the sessions of others, in every tenant. Default none. Make sure that your issuer
   * prevents callers from giving themselves such a role.
   */
  readonly operatorRoles?: readonly string[];
  /**
   * Web origins, beside the server's own, whose requests may use the session cookie, as `https://host:port`. Default none:
   * the cookie only works from pages of this host.
   */
  readonly allowedOrigins?: readonly string[];
}

/** Embedded: the host application has authenticated the request already, or knows how to. */
export interface HostAuthOptions extends TicketOptions {
  readonly kind: 'host';
  /**
   * Returns the caller's principal; undefined answers 401. Called once for each request that carries no valid stream ticket, after
   * the host's own guards, with what they have put on it: say so by a type that extends IncomingRequest. What it throws goes to the
   * host's exception filters unchanged.
   */
  getPrincipal(request: IncomingRequest): Principal | undefined | Promise<Principal | undefined>;
  /**
   * Returns the time when the request's credentials end, in milliseconds since the epoch. Open streams are cut then. Default: never,
   * so a stream outlives a token that expires while it is open.
   */
  getExpiresAt?(request: IncomingRequest): number | undefined;
}

/** Tickets for streams and files, and the key that signs them and the session cookie. */
export interface TicketOptions {
  /**
   * Signs tickets and session cookies; at least 32 characters. A list: the first signs, the others still verify. Default: random
   * keys that are kept in the storage, known to all instances that share it, and followed by new ones every 30 days. Removing a
   * secret ends all that it has signed. It must be a secret of this server alone: with it, a caller can be anyone.
   */
  readonly ticketSecret?: string | readonly string[];
  /** Time for which a ticket opens its stream or its file, in milliseconds; never longer than the caller's credentials. Default 10 minutes. */
  readonly ticketTtlMs?: number;
}

/** Rules for the access tokens that are accepted. A token without `exp` never is. */
export type JwtOptions = JwtRules & (SharedSecret | KeySet);

interface SharedSecret {
  /** The secret that the issuer signs with (HS256, HS384, HS512); at least 32 characters. */
  readonly secret: string;
  readonly jwksUrl?: undefined;
}

interface KeySet {
  /** URL of the issuer's public keys: https, or http on loopback. Fetched when first needed, then cached and rotated. */
  readonly jwksUrl: string;
  readonly secret?: undefined;
}

interface JwtRules extends ClaimRules {
  /** `iss` must be this. Default: any issuer that has the key. */
  readonly issuer?: string;
  /** `aud` must contain this. Default: any, so a token that was made for another service of the issuer works here too. */
  readonly audience?: string;
  /** Default `['HS256']` with a secret; `RS256`, `PS256`, `ES256`, `EdDSA` with a key set. The two families never mix. */
  readonly algorithms?: readonly string[];
}

/** Rules for reading a principal from the claims of a token. */
export interface ClaimRules {
  /** Names of the claims that hold the principal. A name of the token itself, or a path such as `realm_access.roles`. */
  readonly claims?: {
    /** Default `sub`. A token without it is refused. */
    readonly userId?: string;
    /** Default `tenant`. */
    readonly tenant?: string;
    /** A list of strings, or one string with spaces between. Default `roles`. */
    readonly roles?: string;
  };
  /** The tenant of a token that names none. Default `default`: all such users share a tenant, yet see only their own things. */
  readonly defaultTenant?: string;
}

/**
 * Sign-in at an OpenID provider: the authorization code flow with PKCE. The ID token says who signed in. Its signature, issuer, audience,
 * nonce and times are checked, and the session ends with it.
 */
export interface OidcOptions extends ClaimRules {
  /**
   * The provider's issuer, without `/.well-known/openid-configuration`: https, or http on loopback. Its configuration is read when somebody
   * first signs in, and again every hour, so a provider that is down does not stop other people.
   */
  readonly issuer: string;
  /** Name of this server at the provider. */
  readonly clientId: string;
  /** Default: none, for a client that the provider knows as public. */
  readonly clientSecret?: string;
  /** Scopes to ask for. Default `openid`, `profile` and `email`. `openid` is always among them. */
  readonly scopes?: readonly string[];
  /**
   * URL of the route `oidc/callback` below `sessionPath`, as browsers reach it and as the provider knows it:
   * `https://chat.example.com/api/auth/session/oidc/callback`.
   */
  readonly redirectUri: string;
  /** URL of the page that people come back to after sign-out, and when a sign-in fails. Default: the root of `redirectUri`. */
  readonly homeUrl?: string;
}

/** A key and who it stands for. Sent as `X-API-Key`, or as a bearer token. */
export interface ApiKeyOptions {
  /** At least 16 characters; make it random. */
  readonly key: string;
  readonly userId: string;
  readonly tenant: string;
  /** Roles of the caller who has this key. Default none: everything that asks for no role. `*` is every role. */
  readonly roles?: readonly string[];
}

/** Returns the secrets that were set, the one that signs first. */
export function ticketSecrets({ ticketSecret = [] }: TicketOptions): readonly string[] {
  return typeof ticketSecret === 'string' ? [ticketSecret] : ticketSecret;
}

export const DEFAULT_CLAIMS = { userId: 'sub', tenant: 'tenant', roles: 'roles' };
export const DEFAULT_SCOPES: readonly string[] = ['openid', 'profile', 'email'];
export const DEFAULT_COOKIE_NAME = 'agent-stream-session';
export const DEFAULT_SESSION_TTL_MS = 8 * 60 * 60_000;
export const DEFAULT_TICKET_TTL_MS = 10 * 60_000;
export const SHARED_SECRET_ALGORITHMS: readonly string[] = ['HS256', 'HS384', 'HS512'];
export const KEY_SET_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
