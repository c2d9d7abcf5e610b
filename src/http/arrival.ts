import type { ServerResponse } from 'node:http';
import { SetMetadata, type ExecutionContext } from '@nestjs/common';

/** The arrival of a request at one of our routes. */
export interface Arrival {
  /** By `performance.now()`, in milliseconds. */
  readonly at: number;
  /** Name of the wire format that the route speaks. */
  readonly protocol: string;
}

/** The name of our own protocol. */
const OWN_PROTOCOL = 'chat';

const PROTOCOL = Symbol('protocol');
const arrivals = new WeakMap<ServerResponse, Arrival>();

/** Names the protocol that a controller speaks. */
export const Speaks = (protocol: string): ClassDecorator => SetMetadata(PROTOCOL, protocol);

export function noteArrival(context: ExecutionContext, response: ServerResponse): void {
  const protocol: unknown = Reflect.getMetadata(PROTOCOL, context.getClass());
  arrivals.set(response, {
    at: performance.now(),
    protocol: typeof protocol === 'string' ? protocol : OWN_PROTOCOL,
  });
}

/** Undefined for a response that is not of one of our routes. */
export function getArrival(response: ServerResponse): Arrival | undefined {
  return arrivals.get(response);
}
