import type { Owner } from '../principal.js';

/** A target that can be switched off: an agent, a tool, a user, or a tenant with all its users. */
export type SwitchTarget =
  | { readonly kind: 'agent' | 'tool'; readonly name: string }
  | { readonly kind: 'user'; readonly tenant: string; readonly userId: string }
  | { readonly kind: 'tenant'; readonly tenant: string };

/** Something that is switched off, since when, by whom, and why. */
export interface SwitchedOff {
  readonly target: SwitchTarget;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Absent: by the application itself. */
  readonly by?: Owner;
  /** For operators. Never shown to callers who are switched off. */
  readonly reason?: string;
}

/** Returns a name that is different for each target, whatever characters its parts have. */
export function toSwitchKey(target: SwitchTarget): string {
  switch (target.kind) {
    case 'agent':
    case 'tool':
      return key(target.kind, target.name);
    case 'user':
      return key('user', target.tenant, target.userId);
    case 'tenant':
      return key('tenant', target.tenant);
    default:
      return target satisfies never;
  }
}

function key(kind: SwitchTarget['kind'], ...parts: readonly string[]): string {
  return [kind, ...parts.map((part) => encodeURIComponent(part.toWellFormed()))].join(':');
}
