import type { JWTPayload } from 'jose';
import type { Principal } from '../../principal.js';
import { DEFAULT_CLAIMS, type ClaimRules } from '../auth.options.js';

/** Characters of a person's name. Of a longer one, the first are shown. */
const LONGEST_NAME = 100;

/** Returns the principal of a verified token; undefined if the token names no user, or if its tenant is not text. */
export function toPrincipal(
  payload: JWTPayload,
  { claims = {}, defaultTenant = 'default' }: ClaimRules,
): Principal | undefined {
  const userId = claimAt(payload, claims.userId ?? DEFAULT_CLAIMS.userId);
  const tenant = claimAt(payload, claims.tenant ?? DEFAULT_CLAIMS.tenant) ?? defaultTenant;
  if (!isName(userId) || !isName(tenant)) return undefined;
  return { userId, tenant, roles: parseRoles(claimAt(payload, claims.roles ?? DEFAULT_CLAIMS.roles)) };
}

/** Returns the name of the person that a verified token tells (OpenID Connect Core, section 5.1): nothing depends on it. */
export function toPersonName({ name, preferred_username, email }: JWTPayload): string | undefined {
  const told = [name, preferred_username, email].find(
    (each) => typeof each === 'string' && each.trim() !== '',
  );
  return isName(told) ? told.trim().slice(0, LONGEST_NAME) : undefined;
}

function parseRoles(claim: unknown): string[] {
  const roles = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  // `*` is the development principal's: an issuer may name roles, not lift every restriction of ours.
  return roles.filter((role): role is string => isName(role) && role !== '*');
}

/** A claim by its whole name, dots included (`https://example.com/roles`), or else by path (`realm_access.roles`). */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      payload,
    );
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
