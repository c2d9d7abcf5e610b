import { describe, expect, it } from '@jest/globals';
import { validateAuthOptions } from './auth-options.validation.js';
import type { AuthOptions } from './auth.options.js';

const secret = 's'.repeat(32);
const oidc = {
  issuer: 'https://id.example.com',
  clientId: 'agents',
  redirectUri: 'https://chat.example.com/api/auth/session/oidc/callback',
};

describe('validateAuthOptions', () => {
  it.each<[string, AuthOptions]>([
    ['no auth', { kind: 'local' }],
    ['a secret', { kind: 'credentials', jwt: { secret } }],
    ['a key set', { kind: 'credentials', jwt: { jwksUrl: 'https://id.example.com/keys' } }],
    ['a key set on loopback', { kind: 'credentials', jwt: { jwksUrl: 'http://127.0.0.1:9/keys' } }],
    ['API keys', { kind: 'credentials', apiKeys: [{ key: 'k'.repeat(16), userId: 'u', tenant: 't' }] }],
    ['a provider', { kind: 'credentials', oidc }],
    ['a host', { kind: 'host', getPrincipal: () => undefined }],
  ])('accepts auth options with %s', (_, options) => {
    expect(validateAuthOptions(options)).toEqual([]);
  });

  it.each<[string, AuthOptions, string]>([
    ['no credential could be valid', { kind: 'credentials' }, 'needs jwt, apiKeys or oidc'],
    ['the secret is short', { kind: 'credentials', jwt: { secret: 'short' } }, 'jwt.secret is too short'],
    [
      'a public key could be used as a secret',
      {
        kind: 'credentials',
        jwt: { jwksUrl: 'https://id.example.com/keys', algorithms: ['RS256', 'HS256'] },
      },
      'HS256 cannot be used with a key set',
    ],
    [
      'unsigned tokens are asked for',
      { kind: 'credentials', jwt: { secret, algorithms: ['none'] } },
      'none cannot be used with a secret',
    ],
    ['no algorithm is left', { kind: 'credentials', jwt: { secret, algorithms: [] } }, 'algorithms is empty'],
    [
      'the keys come over plain http',
      { kind: 'credentials', jwt: { jwksUrl: 'http://id.example.com/keys' } },
      'must be an https URL',
    ],
    [
      'the provider is reached over plain http',
      { kind: 'credentials', oidc: { ...oidc, issuer: 'http://id.example.com' } },
      'auth.oidc.issuer must be an https URL',
    ],
    [
      'people come back from the provider over plain http',
      { kind: 'credentials', oidc: { ...oidc, redirectUri: 'http://chat.example.com/callback' } },
      'auth.oidc.redirectUri must be an https URL',
    ],
    [
      'the provider does not know the client',
      { kind: 'credentials', oidc: { ...oidc, clientId: '' } },
      'auth.oidc.clientId is absent',
    ],
    [
      'two principals have one key',
      {
        kind: 'credentials',
        apiKeys: [
          { key: 'k'.repeat(16), userId: 'a', tenant: 't' },
          { key: 'k'.repeat(16), userId: 'b', tenant: 't' },
        ],
      },
      'the same key twice',
    ],
    ['an origin is a pattern', { kind: 'local', allowedOrigins: ['*'] }, "'*' is not an origin"],
    ['an origin has a path', { kind: 'local', allowedOrigins: ['https://a.example/'] }, 'is not an origin'],
    ['a time to live is not a number', { kind: 'local', ticketTtlMs: Number.NaN }, 'ticketTtlMs must be'],
    ['the host forgot its function', { kind: 'host' } as unknown as AuthOptions, 'getPrincipal is absent'],
    ['the kind is unknown', { kind: 'none' } as unknown as AuthOptions, 'auth.kind must be'],
  ])('refuses auth options when %s', (_, options, fault) => {
    expect(validateAuthOptions(options)).toEqual([expect.stringContaining(fault)]);
  });

  it('lists every faulty auth option at once without showing a secret', () => {
    const faults = validateAuthOptions({
      kind: 'credentials',
      ticketSecret: 'tiny-ticket',
      jwt: { secret: 'tiny-jwt' },
      apiKeys: [{ key: 'tiny-key', userId: '', tenant: 't' }],
      sessionTtlMs: 0,
    });
    expect(faults).toHaveLength(5);
    expect(faults.join()).not.toMatch(/tiny/);
  });
});
