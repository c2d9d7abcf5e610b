import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from '../auth/authentication.js';

/** What our routes read of a request; those of Express and Fastify both fit. */
export interface WebRequest extends IncomingRequest {
  /** Path and query as the client wrote them, whatever was mounted where. */
  readonly originalUrl: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** What a framework calls its response: node:http's own, which Express extends, or the reply that Fastify wraps around it. */
export type WebResponse = ServerResponse | { readonly raw: ServerResponse };

/** The response of node:http, to which streams are written. */
export function rawResponse(response: WebResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}
