import { Controller, type Type } from '@nestjs/common';
import type { VERSION_NEUTRAL } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import { Speaks } from './arrival.js';

/** The version that routes have in a host that versions its own: see Nest's `enableVersioning`. */
export type RouteVersion = string | typeof VERSION_NEUTRAL | readonly (string | typeof VERSION_NEUTRAL)[];

/** Options that the controllers of one instance of our module share. */
export interface Placement {
  /** Begins the names of its operations in the API's description, where a second instance has the same. Empty for the usual one. */
  readonly instance: string;
  readonly version?: RouteVersion | undefined;
  /** Name of the protocol that they speak. Default: our own. */
  readonly protocol?: string;
  /** The security schemes, by their names in the host's description, any of which its operations ask for. */
  readonly security?: readonly string[] | undefined;
}

/** Puts a controller at a path: into a class of its own, because two instances of our module may have two. */
export function placeController(
  path: string,
  base: Type<object>,
  { instance, version, protocol, security = [] }: Placement,
): Type<object> {
  const name = instance + base.name;
  const placed = { [name]: class extends base {} }[name] as Type<object>;
  Controller({ path, ...(version !== undefined && { version: version as string }) })(placed);
  if (protocol !== undefined) Speaks(protocol)(placed);
  for (const scheme of security) ApiSecurity(scheme)(placed);
  return placed;
}

/** Names an instance after the path that tells it from others: `api/support-desk` is `ApiSupportDesk`. */
export function nameInstance(path: string): string {
  return path.replace(
    /[^A-Za-z0-9]*([A-Za-z0-9])([A-Za-z0-9]*)[^A-Za-z0-9]*/g,
    (_all, first: string, rest: string) => first.toUpperCase() + rest,
  );
}
