import type { HttpAdapterHost } from '@nestjs/core';
import { rawResponse, type WebResponse } from './http.types.js';

/**
 * Replies with one JSON text on a route that may stream, whose handler has asked for `@Res()`.
 *
 * @param body undefined for an empty reply, with 204
 */
export function replyWithJson(
  { httpAdapter: http }: HttpAdapterHost,
  response: WebResponse,
  body: object | undefined,
): void {
  // The client may have left while the reply was made.
  if (http.isHeadersSent(response) || rawResponse(response).destroyed) return;
  http.setHeader(response, 'Cache-Control', 'no-store');
  http.reply(response, body, body === undefined ? 204 : 200);
}
