import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { noteArrival } from './arrival.js';
import { rawResponse, type WebResponse } from './http.types.js';

/** The responses of a connection that wait for an earlier one to end (HTTP/1.1 pipelining). */
const waiting = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Tells each response that its connection is gone. Node 22 tells only the one whose turn it is: what waits behind it would keep its
 * stream and its place for good, and a client could make many. Notes as well when the request came. A guard because it has to be first; it
 * refuses nothing.
 */
@Injectable()
export class CloseGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const response = rawResponse(context.switchToHttp().getResponse<WebResponse>());
    noteArrival(context, response);
    if (!response.socket && !response.closed) tellClose(response, response.req.socket);
    return true;
  }
}

function tellClose(response: ServerResponse, socket: Socket): void {
  if (socket.destroyed) return close(response);
  const others = waiting.get(socket);
  if (others) others.add(response);
  else {
    const responses = new Set([response]);
    waiting.set(socket, responses);
    socket.once('close', () => responses.forEach(close));
  }
  response.once('close', () => waiting.get(socket)?.delete(response));
}

/** Does what node does when a connection ends. Does nothing where node has done it. */
function close(response: ServerResponse): void {
  if (response.closed) return;
  Object.assign(response, { destroyed: true, _closed: true });
  response.emit('close');
}
