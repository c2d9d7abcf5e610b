import type { Owner } from '../principal.js';

/** One text for each owner, and never the same for two, whatever characters their names have. */
export function principalKey({ tenant, userId }: Owner): string {
  return JSON.stringify([tenant, userId]);
}
