import { describe, expect, it } from '@jest/globals';
import type { CredentialsAuthOptions } from './auth.options.js';
import { findKnownRoles } from './known-roles.js';

const ADA = { userId: 'ada', tenant: 'default' };
const KEY = { ...ADA, key: 'a-key-of-twenty-four-chars', roles: ['reader'] };
const JWT = { issuer: 'https://id.example.com', audience: 'chat', secret: 's'.repeat(32) };
const OIDC = {
  issuer: 'https://id.example.com',
  clientId: 'chat',
  redirectUri: 'https://chat.example.com/api/auth/oidc/callback',
};

describe('findKnownRoles', () => {
  it.each<[string, Partial<CredentialsAuthOptions>, readonly string[] | undefined]>([
    ['those of an API key', { apiKeys: [KEY] }, ['reader']],
    ['none for a principal whose key is gone', { apiKeys: [] }, []],
    ['nothing for one who may have a token', { jwt: JWT }, undefined],
    ['nothing for one who may have signed in at the provider', { oidc: OIDC }, undefined],
  ])('tells %s', (_what, options, roles) => {
    expect(findKnownRoles({ kind: 'credentials', ...options }, ADA)).toEqual(roles);
  });
});
