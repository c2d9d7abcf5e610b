/** A request with a body whose progress is watched. */
export interface WatchedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob;
  readonly credentials: RequestCredentials;
  readonly signal?: AbortSignal | undefined;
  /** Called with the part that was sent, from 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/**
 * Sends a POST by XMLHttpRequest: no browser's fetch tells how much of a body it has sent.
 *
 * Rejects as fetch does: with a TypeError when no answer comes, and with the signal's reason.
 */
export function sendWithProgress(url: string, request: WatchedRequest): Promise<Response> {
  const { headers, body, credentials, signal, onProgress } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const sent = new XMLHttpRequest();
    const abort = () => sent.abort();
    signal?.addEventListener('abort', abort, { once: true });
    sent.open('POST', url);
    sent.withCredentials = credentials === 'include';
    for (const [name, value] of Object.entries(headers)) sent.setRequestHeader(name, value);
    sent.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 0),
    );
    sent.addEventListener('load', () => resolve(toResponse(sent)));
    sent.addEventListener('error', () => reject(new TypeError('The request failed.')));
    sent.addEventListener('abort', () =>
      reject((signal?.reason as Error | undefined) ?? new TypeError('The request was aborted.')),
    );
    sent.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
    sent.send(body);
  });
}

function toResponse(sent: XMLHttpRequest): Response {
  const retryAfter = sent.getResponseHeader('retry-after');
  const headers = { ...(retryAfter !== null && { 'retry-after': retryAfter }) };
  return new Response(sent.responseText, { status: sent.status, headers });
}
