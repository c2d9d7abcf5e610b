import type { ApiKeyOptions } from '../../auth/auth.options.js';
import { format, items, InvalidSettingError } from './formats.js';

const FORM = 'key:user@tenant or key:user@tenant:role|role';
const MIN_KEY = 16;

/**
 * AUTH_API_KEYS: who each key stands for, as `key:user@tenant:role|role,…`. The last `@` divides, so that a user may be an
 * e-mail address. Faults name an entry by its place, because its text is a secret.
 */
export const apiKeys = () =>
  format((value): readonly ApiKeyOptions[] => {
    const entries = items(value).map((entry, index) => parseEntry(entry, `entry ${index + 1}`));
    if (entries.length === 0) throw new InvalidSettingError(`write ${FORM}`);
    const repeated = entries.findIndex(({ key }, index) =>
      entries.slice(0, index).some((other) => other.key === key),
    );
    if (repeated >= 0)
      throw new InvalidSettingError(`entry ${repeated + 1} repeats a key; give each principal its own`);
    return entries;
  });

function parseEntry(entry: string, place: string): ApiKeyOptions {
  const [, key, userId, tenant, roles] = /^([^:\s]+):([^:\s]+)@([^:@\s]+)(?::([^:\s]*))?$/.exec(entry) ?? [];
  if (key === undefined || userId === undefined || tenant === undefined) {
    throw new InvalidSettingError(`${place} does not have the form ${FORM}`);
  }
  if (key.length < MIN_KEY)
    throw new InvalidSettingError(
      `the key of ${place} is shorter than ${MIN_KEY} characters; use a longer one`,
    );
  return { key, userId, tenant, roles: roles?.split('|').filter((role) => role !== '') ?? [] };
}
