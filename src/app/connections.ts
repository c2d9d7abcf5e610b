import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { addressBlock, callerAddress } from '../security/caller-address.js';

export interface ConnectionLimits {
  /** Of the process. */
  readonly total: number;
  readonly perAddress: number;
  /** True for the address of a proxy, behind which are many callers. It is not counted by address. */
  readonly isProxy: (address: string) => boolean;
}

/**
 * Time between node's checks for requests that take too long, in milliseconds. Its own default of 30 s would let them have twice
 * their time.
 */
const CHECK_EVERY_MS = 5_000;

/** Browsers, proxies and client libraries wait for an answer before they send the next request. */
const MAX_PIPELINED = 8;

/** Maximum time for a client to read the end of a reply, in milliseconds. */
const STALLED_MS = 60_000;

/** Bounds connections and what each may hold before its request is whole. */
export function limitConnections(server: Server, { total, perAddress, isProxy }: ConnectionLimits): void {
  server.maxConnections = total;
  server.maxHeadersCount = 200;
  server.headersTimeout = 15_000;
  server.requestTimeout = 30_000;
  // An option of createServer, which is Nest's to call; node reads it when the server begins to listen.
  Object.assign(server, { connectionsCheckingInterval: CHECK_EVERY_MS });
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || isProxy(remoteAddress)) return;
    const key = addressBlock(callerAddress({ socket }) ?? remoteAddress);
    const count = (open.get(key) ?? 0) + 1;
    if (count > perAddress) {
      socket.destroy();
      return;
    }
    open.set(key, count);
    socket.once('close', () => {
      const remaining = (open.get(key) ?? 1) - 1;
      if (remaining === 0) open.delete(key);
      else open.set(key, remaining);
    });
  });
}

/**
 * Answers the requests of a connection one after the other. Node hands on all that one read brings, which is a thousand of the
 * shortest, and keeps their replies in memory while they are not read. A client that sends many and waits for none is cut off.
 */
export function forbidPipelining(): RequestHandler {
  const waiting = new WeakMap<Socket, (() => void)[]>();
  return ({ socket }, response, next) => {
    const queue = waiting.get(socket);
    if (queue && queue.length >= MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    response.once('close', () => {
      const [following, ...others] = waiting.get(socket) ?? [];
      if (following) {
        waiting.set(socket, others);
        if (!socket.destroyed) following();
      } else waiting.delete(socket);
    });
    if (queue) queue.push(next);
    else {
      waiting.set(socket, []);
      next();
    }
  };
}

/**
 * Cuts off clients that do not read the answer they have asked for. One that is still being written, as a stream is, has limits of
 * its own.
 */
export function cutStalled(): RequestHandler {
  return ({ socket }, response, next) => {
    response.once('prefinish', () => {
      if (socket.writableLength === 0) return;
      const timer = setTimeout(() => socket.destroy(), STALLED_MS).unref();
      response.once('close', () => clearTimeout(timer));
    });
    next();
  };
}
