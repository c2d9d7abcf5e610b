import { loadOtel } from './otel.js';
import { findActiveRun } from './run-telemetry.js';

/**
 * Returns the headers that carry the trace of the run at work on to a host, as `URL` writes it. None outside of a run, without an SDK,
 * and for a host that is not on the list.
 */
export function carryTrace(hostname: string): Record<string, string> {
  const api = loadOtel();
  return (api && findActiveRun(api)?.headersFor(hostname)) ?? {};
}

/** A `fetch` that carries the trace of the run at work on to the host of its URL, if that is on the list. */
export const fetchWithTraceFor = (url: string | URL, init?: RequestInit): Promise<Response> =>
  fetch(url, withHeaders(init, carryTrace(new URL(url).hostname)));

/** Returns a `fetch` that carries the trace of the run at work on to a model's provider. */
export function fetchWithTrace(): typeof fetch {
  const api = loadOtel();
  if (!api) return fetch;
  return (input, init) => {
    const carried = findActiveRun(api)?.headersForModel() ?? {};
    const given = init?.headers ?? (input instanceof Request ? input.headers : undefined);
    return fetch(input, withHeaders({ ...init, ...(given && { headers: given }) }, carried));
  };
}

function withHeaders(init: RequestInit | undefined, added: Record<string, string>): RequestInit | undefined {
  const entries = Object.entries(added);
  if (entries.length === 0) return init;
  const headers = new Headers(init?.headers);
  for (const [name, value] of entries) headers.set(name, value);
  return { ...init, headers };
}
