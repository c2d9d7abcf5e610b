import type { Provider, Type } from '@nestjs/common';
import { ProtocolStreams } from './protocol.streams.js';
import { ThreadRuns } from './thread.runs.js';

/** A controller of a protocol, and where it is. */
export interface ProtocolRoute {
  /** Below the prefix of all protocols; from the root of the server when it begins with a slash. */
  readonly path: string;
  readonly controller: Type<object>;
}

/** Where the protocols are, when nothing else is said. */
const DEFAULT_PREFIX = 'protocols';

/** Every wire dialect that is served beside our own. */
const ROUTES: readonly ProtocolRoute[] = [];

/** What the controllers of the protocols share. */
export const PROTOCOL_PROVIDERS: readonly Provider[] = [ThreadRuns, ProtocolStreams];

/** The routes with their prefix. */
export function protocolRoutes(prefix: string = DEFAULT_PREFIX): ProtocolRoute[] {
  return ROUTES.map(({ path, controller }) => ({
    path: path.startsWith('/') ? path : `${prefix}/${path}`,
    controller,
  }));
}
