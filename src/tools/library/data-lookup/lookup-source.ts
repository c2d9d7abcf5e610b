import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../../errors.js';
import { nameOption } from '../../../option-names.js';
import { assertInstalled } from '../../../optional-packages.js';
import type { LookupDatabase } from './lookup-database.js';
import { LOOKUP_LIMITS, type LookupLimits } from './lookup-result.js';
import { PostgresLookup } from './postgres-lookup.js';
import { SqliteLookup } from './sqlite-lookup.js';

/** @throws AppError `CONFIG_INVALID` when the address is of no database that we know, or absent and `world-countries` too */
export function lookupDatabase(
  url: string | undefined,
  limits: LookupLimits = LOOKUP_LIMITS,
): LookupDatabase {
  if (!url) {
    assertInstalled('The tool data_lookup without `lookupDatabaseUrl`', ['world-countries']);
    return new SqliteLookup(undefined, limits);
  }
  if (/^postgres(ql)?:\/\//.test(url)) return new PostgresLookup(url, limits);
  const path = sqlitePath(url);
  if (path) return new SqliteLookup(path, limits);
  throw new AppError(
    'CONFIG_INVALID',
    `${nameOption('lookupDatabaseUrl of ToolLibraryOptions')} has an address of an unknown kind. Use sqlite:<path>, file:<path> or postgres://….`,
  );
}

/** `file:///absolute` is a URL; `file:relative` and `sqlite:` are written with plain paths. */
function sqlitePath(url: string): string | undefined {
  if (url.startsWith('file:///')) return fileURLToPath(url);
  const path = /^(?:sqlite|file):(?:\/\/)?(.+)$/.exec(url)?.[1];
  return path && resolve(path);
}
