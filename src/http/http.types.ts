import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { IncomingRequest } from '../auth/authentication.js';

/** The parts of a request that our routes read. Requests of Express and Fastify both fit. */
export interface WebRequest extends IncomingRequest {
  /** Path and query as the client wrote them, whatever was mounted where. */
  readonly originalUrl: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** A framework's response: node:http's own, which Express extends, or the reply that Fastify wraps around it. */
export type WebResponse = ServerResponse | FastifyReply;

/** Of Fastify's reply, what there is to know when its response is to be written by somebody else. */
export interface FastifyReply {
  readonly raw: ServerResponse;
  /** The headers that were set on it, and on the response. */
  getHeaders(): OutgoingHttpHeaders;
  /** Tells Fastify that it has nothing to send. */
  hijack(): unknown;
}

/** The response of node:http, to which streams are written. */
export function rawResponse(response: WebResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}
