import { DEFAULT_CLAIMS, DEFAULT_SCOPES, DEFAULT_TICKET_TTL_MS } from '../../auth/auth.options.js';
import { apiKeys } from './api-keys.js';
import { minutes, safeUrl, secret, secrets, text, texts } from './formats.js';
import { part, setting } from './setting.js';

const TOKENS = {
  AUTH_JWT_SECRET: 'a-secret-of-an-issuer-that-is-long-enough',
  AUTH_ISSUER: 'https://id.example.com',
  AUTH_AUDIENCE: 'agent-stream',
};
const { AUTH_JWT_SECRET: _, ...CLAIMS } = TOKENS;

const PROVIDER = {
  AUTH_OIDC_ISSUER: 'https://id.example.com',
  AUTH_OIDC_CLIENT_ID: 'agent-stream',
  PUBLIC_URL: 'https://chat.example.com',
};

export const CALLERS = {
  title: 'Authentication',
  intro:
    'Without `AUTH_JWT_SECRET`, `AUTH_JWKS_URL`, `AUTH_OIDC_ISSUER` or `AUTH_API_KEYS`, every caller is the local development user, and the server listens on loopback only. Tokens, API keys and [sign-in at a provider](../production/sign-in.md) may be used together.',
  settings: {
    AUTH_JWT_SECRET: part('chat.auth', {
      format: secret(32),
      example: TOKENS.AUTH_JWT_SECRET,
      needs: CLAIMS,
      effect:
        'Accepts bearer tokens that are signed with this secret (HS256). It has at least 32 characters.',
      details: 'Use either this or `AUTH_JWKS_URL`.',
      isSecret: true,
    }),
    AUTH_JWKS_URL: part('chat.auth', {
      format: safeUrl(),
      example: 'https://id.example.com/.well-known/jwks.json',
      needs: CLAIMS,
      effect: 'Accepts bearer tokens that are signed by a key published at this URL.',
      details:
        'It must be https, or http on loopback. Keys are cached, and new keys are picked up when the issuer rotates them.',
      isSecret: true,
    }),
    AUTH_ISSUER: part('chat.auth', {
      format: text(),
      example: 'https://issuer.example.com',
      needs: TOKENS,
      effect: 'The `iss` that every token must have. Required with either of the above.',
    }),
    AUTH_AUDIENCE: part('chat.auth', {
      format: text(),
      example: 'agents',
      needs: TOKENS,
      effect: 'The `aud` that every token must have. Required with either of the above.',
    }),
    AUTH_OIDC_ISSUER: part('chat.auth', {
      format: safeUrl(),
      example: 'https://id.example.com/realms/main',
      needs: PROVIDER,
      effect:
        'Lets people sign in with a browser at this OpenID provider. Needs the package `openid-client`.',
      details:
        'Write the issuer, without `/.well-known/openid-configuration`. It must be https, or http on loopback. See [sign-in at a provider](../production/sign-in.md).',
      isSecret: true,
    }),
    AUTH_OIDC_CLIENT_ID: part('chat.auth', {
      format: text(),
      example: 'chat',
      needs: PROVIDER,
      effect: 'The name of this server at the OpenID provider. Required with `AUTH_OIDC_ISSUER`.',
    }),
    AUTH_OIDC_CLIENT_SECRET: part('chat.auth', {
      format: text(),
      unset: 'none, for a public client',
      example: 'a-secret-that-the-provider-has-made',
      needs: PROVIDER,
      effect: 'The secret of that client.',
      isSecret: true,
    }),
    AUTH_OIDC_SCOPES: part('chat.auth', {
      format: texts(),
      default: DEFAULT_SCOPES,
      example: 'openid,profile,groups',
      needs: PROVIDER,
      effect: 'The scopes to ask the OpenID provider for. `openid` is always among them.',
      isAboutSecurity: false,
    }),
    PUBLIC_URL: part('chat.auth', {
      format: safeUrl(),
      example: 'https://agents.example.com',
      needs: PROVIDER,
      effect:
        'The URL at which browsers reach the page. Required with `AUTH_OIDC_ISSUER`, which leads people back to it.',
      details:
        'Register it at the provider as the URL after sign-out, and with `/api/auth/session/oidc/callback` as the redirect URI.',
    }),
    AUTH_USER_CLAIM: part('chat.auth', {
      format: text(),
      default: DEFAULT_CLAIMS.userId,
      example: 'oid',
      needs: TOKENS,
      effect: 'The claim that names the user. A token without it is refused.',
      details:
        'Choose one that the issuer never gives to somebody else. If it changes, people no longer see what they have.',
    }),
    AUTH_TENANT_CLAIM: part('chat.auth', {
      format: text(),
      default: DEFAULT_CLAIMS.tenant,
      example: 'org_id',
      needs: TOKENS,
      effect: 'The claim that names the tenant of the caller.',
      details: 'Runs and threads belong to a tenant and a user. All other callers get 404.',
    }),
    AUTH_ROLES_CLAIM: part('chat.auth', {
      format: text(),
      default: DEFAULT_CLAIMS.roles,
      example: 'realm_access.roles',
      needs: TOKENS,
      effect: 'The claim that lists the roles of the caller.',
      details: 'Agents and tools may require a role.',
    }),
    AUTH_API_KEYS: part('chat.auth', {
      format: apiKeys(),
      example: 'a-key-of-sixteen-or-more:bot@acme:clerk',
      effect: 'Accepts these API keys, each with its caller: `key:user@tenant:role|role,…`.',
      details:
        'A key has at least 16 characters, without `:` and `,`. The last `@` separates user and tenant; roles are optional. Callers send the key as `X-API-Key`, or as a bearer token.',
      isSecret: true,
    }),
    AUTH_TICKET_SECRET: part('chat.auth', {
      format: secrets(32),
      unset: 'random keys, stored with the data',
      example: 'a-secret-of-this-server-that-is-long-enough',
      effect: 'Signs session cookies and tickets with this secret, of at least 32 characters.',
      details:
        'Rarely needed: by default the keys are random, shared by all instances of a database, and replaced every 30 days. To rotate the secret, write several, separated by commas: the first signs, and all verify. Only this server may know it, because its holder can sign in as any user. A secret that is also `AUTH_JWT_SECRET` or an API key is refused.',
      isSecret: true,
    }),
    AUTH_TICKET_MINUTES: part('chat.auth', {
      format: minutes(1, 60),
      default: DEFAULT_TICKET_TTL_MS,
      example: '2',
      effect: 'A URL with a ticket, for the events of a run or for a file, opens for this many minutes.',
      details:
        'A stream that is open by then stays open. Less time means that a URL that is passed on is of less use.',
    }),
    AUTH_OPERATOR_ROLES: setting('chat.operatorRoles', {
      format: texts(),
      default: [],
      example: 'operator',
      effect:
        'Makes callers with one of these roles operators. They may stop agents, tools and callers, and end sessions of others.',
      details:
        'This applies to every tenant. Operators [switch off](../guides/operators.md) an agent, a tool, a user or a tenant at once, accept changed tools of MCP servers, and end the [sessions](../guides/sessions.md) of others (`POST /api/auth/session/end`). Choose a role that no tenant can assign.',
    }),
    AUTH_TENANT_OPERATOR_ROLES: setting('chat.tenantOperatorRoles', {
      format: texts(),
      default: [],
      example: 'tenant-operator',
      effect:
        "Makes callers with one of these roles operators of their own tenant. They may [see, cancel and requeue](../guides/operators.md#runs-of-everybody) its users' runs, and see what these cost.",
      details: 'They do not see what was said, and they may not switch anything off.',
    }),
  },
} as const;
