import { createRequire } from 'node:module';
import { AppError } from './errors.js';

const require = createRequire(import.meta.url);

/**
 * Loads a part of this package that needs packages which not every host has. At once, where an `import()` would have to be awaited: so
 * an entry that does it can be loaded by `require` as well. It is the same module that an import gives.
 *
 * @param packages what it needs, in the order in which they are to be installed
 * @param file the part, as seen from this file
 * @throws AppError CONFIG_INVALID with the command that installs what is missing
 */
export function loadWith(packages: readonly string[], file: string): unknown {
  assertInstalled(`What needs ${packages[0] ?? file}`, packages);
  return require(file);
}

/**
 * Refuses a part of this package that is used where a package that it needs is not installed.
 *
 * @param part begins the message
 * @throws AppError CONFIG_INVALID with the command that installs what is missing
 */
export function assertInstalled(part: string, packages: readonly string[]): void {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  throw new AppError('CONFIG_INVALID', `${part} cannot be loaded. Install it: npm i ${missing.join(' ')}`);
}

/** Returns true if a package that not every host has can be imported here. */
export function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
