import type { Owner } from '../principal.js';
import type { AuthOptions } from './auth.options.js';

/**
 * Returns the roles that the options give a principal; undefined when they do not say. A principal whose API key is gone has none,
 * unless tokens or a provider let people in as well, of whom it may be one.
 */
export function findKnownRoles(
  options: AuthOptions,
  { userId, tenant }: Owner,
): readonly string[] | undefined {
  if (options.kind !== 'credentials') return undefined;
  const { apiKeys = [], jwt, oidc } = options;
  const keys = apiKeys.filter((key) => key.userId === userId && key.tenant === tenant);
  if (keys.length === 0) return jwt || oidc ? undefined : [];
  return keys.flatMap(({ roles = [] }) => roles);
}
