import { SETTING_NAMES } from './settings.js';

/**
 * Names in the environment that are none of ours but look like one: `CORS_ORIGIN`, `TRUSTPROXY`. A setting that is silently
 * ignored is worse than one that is refused, yet the environment belongs to others too, so these are warnings.
 */
export function findTypos(names: readonly string[]): string[] {
  const known = new Set<string>(SETTING_NAMES);
  return names
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const meant = SETTING_NAMES.find((setting) => isNear(name.toUpperCase(), setting));
      return meant === undefined ? [] : [`${name} is not a setting. Did you mean ${meant}?`];
    });
}

/** Short names are near to too much: `POST` is not a misspelt `PORT`. */
function isNear(name: string, setting: string): boolean {
  if (name === setting) return true;
  if (setting.length < 5) return false;
  const most = setting.length < 9 ? 1 : 2;
  // The environment of a container may have hundreds of names.
  return Math.abs(name.length - setting.length) <= most && editDistance(name, setting) <= most;
}

/** Returns the number of letters to insert, delete or replace to turn one word into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
