import { hkdfSync, randomBytes } from 'node:crypto';
import type { AuthOptions } from './auth.options.js';

/** The secret behind tickets and sessions, in bytes; undefined when no setting can give one that other processes share. */
export function sharedSecretOf(options: AuthOptions): Uint8Array | undefined {
  const secret =
    options.ticketSecret ?? (options.kind === 'credentials' ? credentialSecretOf(options) : undefined);
  return secret === undefined ? undefined : Buffer.from(secret);
}

/** A secret that only this process knows. */
export function processSecret(): Uint8Array {
  return randomBytes(32);
}

/**
 * One key for each purpose, none of which tells another or the secret (HKDF, RFC 5869). So what is signed for one purpose is
 * no signature for another, even when an operator uses the JWT secret here as well.
 */
export function signingKey(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `nestjs-agent-stream ${purpose}`, 32));
}

function credentialSecretOf(options: Extract<AuthOptions, { kind: 'credentials' }>): string | undefined {
  if (options.jwt?.secret !== undefined) return options.jwt.secret;
  if (!options.apiKeys?.length) return undefined;
  // Sorted, because instances may list the same keys in another order.
  return JSON.stringify(options.apiKeys.map((entry) => entry.key).toSorted());
}
