import type { Principal } from '../principal.js';
import type { IncomingRequest } from './authentication.js';

/** How callers prove who they are. One of three kinds; nothing here is read from the environment. */
export type AuthOptions = LocalAuthOptions | CredentialsAuthOptions | HostAuthOptions;

/**
 * No auth: every caller is the development principal `{ userId: 'local', tenant: 'local' }`. Only requests addressed to a
 * loopback name, and from a loopback or allow-listed origin, are answered (`ORIGIN_REFUSED`), because a web page elsewhere
 * can reach a port of this machine. The caller must bind to loopback only.
 */
export interface LocalAuthOptions extends TicketOptions {
  readonly kind: 'local';
  /** What the development principal may use. Default `['*']`: every role, so that restricted tools can be tried. */
  readonly roles?: readonly string[];
  /** Web origins beside loopback that may call, as `https://host:port`. Default none. */
  readonly allowedOrigins?: readonly string[];
}

/** Bearer tokens, API keys, or both. At least one of `jwt` and `apiKeys` must be there. */
export interface CredentialsAuthOptions extends TicketOptions {
  readonly kind: 'credentials';
  readonly jwt?: JwtOptions;
  readonly apiKeys?: readonly ApiKeyOptions[];
  /**
   * The session cookie's name. Default `agent-stream-session`. Two instances on one host name need two names, or each
   * sign-in ends the other's.
   */
  readonly cookieName?: string;
  /**
   * How long a browser stays signed in, in milliseconds; never longer than its token. Default 8 hours. A key or role that is
   * taken away holds until then in browsers that are signed in; a new `ticketSecret` ends all sessions.
   */
  readonly sessionTtlMs?: number;
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
   * Who asks; undefined answers 401. Called once for each request that carries no valid stream ticket, after the host's own
   * guards, with what they have put on it: say so by a type that extends IncomingRequest. What it throws goes to the host's
   * exception filters unchanged.
   */
  principalOf(request: IncomingRequest): Principal | undefined | Promise<Principal | undefined>;
  /**
   * When the request's credentials end, in milliseconds since the epoch: open streams are cut then. Default: never, so a
   * stream outlives a token that expires while it is open.
   */
  expiresAtOf?(request: IncomingRequest): number | undefined;
}

/** Stream tickets, and the key that signs them and the session cookie. */
export interface TicketOptions {
  /**
   * Signs tickets and session cookies; at least 32 characters. Default: derived from the JWT secret, or else from the API
   * keys. With neither it is random per process: tickets and sessions then end with the process, and another instance does
   * not know them. Changing it (or what it is derived from) ends all of them.
   */
  readonly ticketSecret?: string;
  /** How long a ticket opens its stream, in milliseconds; never longer than the caller's credentials. Default 10 minutes. */
  readonly ticketTtlMs?: number;
}

/** Which access tokens are believed. A token without `exp` never is. */
export type JwtOptions = JwtRules & (SharedSecret | KeySet);

interface SharedSecret {
  /** The secret that the issuer signs with (HS256, HS384, HS512); at least 32 characters. */
  readonly secret: string;
  readonly jwksUrl?: undefined;
}

interface KeySet {
  /** Where the issuer publishes its public keys; https, or http on loopback. Fetched when first needed, then cached and rotated. */
  readonly jwksUrl: string;
  readonly secret?: undefined;
}

interface JwtRules {
  /** `iss` must be this. Default: any issuer that has the key. */
  readonly issuer?: string;
  /** `aud` must contain this. Default: any, so a token that was made for another service of the issuer works here too. */
  readonly audience?: string;
  /** Default `['HS256']` with a secret; `RS256`, `PS256`, `ES256`, `EdDSA` with a key set. The two families never mix. */
  readonly algorithms?: readonly string[];
  /** Where in the token the principal is. A name of the token itself, or a path such as `realm_access.roles`. */
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

/** A key and who it stands for. Sent as `X-API-Key`, or as a bearer token. */
export interface ApiKeyOptions {
  /** At least 16 characters; make it random. */
  readonly key: string;
  readonly userId: string;
  readonly tenant: string;
  /** What it may use. Default none: everything that asks for no role. `*` is every role. */
  readonly roles?: readonly string[];
}

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
