import { describe, expect, it } from '@jest/globals';
import { sharedSecretOf, signingKey } from './signing-key.js';

const jwt = { secret: 'the secret that the issuer signs with' };
const keys = ['first key, of sixteen', 'second key, of sixteen'].map((key) => ({
  key,
  userId: 'u',
  tenant: 't',
}));
const text = (secret: Uint8Array | undefined) => secret && Buffer.from(secret).toString();

describe('the secret behind tickets and sessions', () => {
  it('is the configured one, or else comes from the JWT secret, or else from the API keys', () => {
    const ticketSecret = 'a secret for tickets and sessions';
    expect(text(sharedSecretOf({ kind: 'credentials', jwt, apiKeys: keys, ticketSecret }))).toBe(
      ticketSecret,
    );
    expect(text(sharedSecretOf({ kind: 'local', ticketSecret }))).toBe(ticketSecret);
    expect(text(sharedSecretOf({ kind: 'credentials', jwt, apiKeys: keys }))).toBe(jwt.secret);
    expect(text(sharedSecretOf({ kind: 'credentials', apiKeys: keys }))).toContain(keys[0]?.key);
  });

  it('is the same on an instance that lists the same API keys in another order', () => {
    const there = sharedSecretOf({ kind: 'credentials', apiKeys: keys.toReversed() });
    expect(there).toEqual(sharedSecretOf({ kind: 'credentials', apiKeys: keys }));
  });

  it('is shared with nobody when there is nothing to derive it from', () => {
    expect(sharedSecretOf({ kind: 'local' })).toBeUndefined();
    expect(
      sharedSecretOf({ kind: 'credentials', jwt: { jwksUrl: 'https://id.example/keys' } }),
    ).toBeUndefined();
  });

  it('gives each purpose a key of its own, and never itself', () => {
    const secret = Buffer.from(jwt.secret);
    const [ticket, session] = ['stream-ticket', 'session'].map((purpose) => signingKey(secret, purpose));
    expect(ticket).toHaveLength(32);
    expect(ticket).not.toEqual(session);
    expect(text(ticket)).not.toBe(jwt.secret);
    expect(signingKey(secret, 'session')).toEqual(session);
  });
});
