import type { DynamicModule, Provider, Type } from '@nestjs/common';
import { placeController, type Placement } from '../http/place-controller.js';

/** A controller of a protocol, and where it is. */
export interface ProtocolRoute {
  /** Below the protocol's own path; from the root of the server when it begins with a slash. */
  readonly path: string;
  readonly controller: Type<object>;
  /** It answers everybody. */
  readonly isOpen?: boolean;
}

/** A wire dialect that is served beside our own. */
export interface Protocol {
  /** An empty class, whose name the module has. */
  readonly module: Type<object>;
  /** Below the prefix of all protocols. */
  readonly path: string;
  /** @param path where the protocol is, prefix included */
  readonly routes: (path: string) => readonly ProtocolRoute[];
  /** The services of its controllers. */
  readonly providers: readonly Provider[];
}

/** Makes the Nest module of a protocol. @param imports what all protocols share */
export function createProtocolModule(
  { module, path: ownPath, routes, providers }: Protocol,
  {
    prefix,
    imports,
    placement,
  }: {
    readonly prefix: string;
    readonly imports: readonly DynamicModule[];
    readonly placement: Placement;
  },
): DynamicModule {
  const base = `${prefix}/${ownPath}`;
  const controllers = routes(base).map(({ path, controller, isOpen }) =>
    placeController(join(base, path), controller, {
      ...placement,
      protocol: ownPath,
      ...(isOpen && { security: [] }),
    }),
  );
  return { module, imports: [...imports], controllers, providers: [...providers] };
}

function join(base: string, path: string): string {
  if (path.startsWith('/')) return path;
  return path === '' ? base : `${base}/${path}`;
}
