import { Agent, fetch, type Response } from 'undici';
import { carryTrace } from '../../../telemetry/carry-trace.js';
import { ToolError } from '../../tool.error.js';
import { readBody } from '../read-body.js';
import { FetchRefusedError } from './fetch-refused.error.js';
import type { FetchRules } from './fetch-rules.js';
import { pinnedConnector, type HostResolver } from './pinned-connector.js';
import { guardedUrl } from './url-guard.js';

const MAX_REDIRECTS = 3;
const ACCEPT = { accept: 'text/html, text/*;q=0.9, application/json;q=0.9, application/xml;q=0.8' };
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const READABLE = /^(?:text\/[\w.+-]+|application\/(?:json|xml|[\w.-]+\+(?:json|xml)))$/;

export interface GuardedFetchRequest {
  readonly url: string;
  readonly rules: FetchRules;
  /** Bytes, after decompression. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Asked about another host than the first, before a redirect is followed to it. Default: any. */
  readonly mayReach?: (host: string) => Promise<boolean>;
  /** Default: the system's. */
  readonly resolve?: HostResolver;
}

export interface FetchedPage {
  /** The address after the last redirect. */
  readonly url: string;
  readonly status: number;
  /** Without parameters: `text/html`. */
  readonly contentType: string;
  readonly body: string;
  /** There was more than `limit`. */
  readonly truncated: boolean;
}

/**
 * GET of a page on the public internet, without credentials. Scheme, host, port and every address behind the host are checked, at each of
 * at most 3 redirects, each again, and only text, JSON and XML are read.
 *
 * @throws Error, written for the model: why it was not fetched; the signal's reason when that is aborted
 */
export async function guardedFetch(request: GuardedFetchRequest): Promise<FetchedPage> {
  // An agent of its own: no connection is ever reused that another policy allowed.
  const agent = new Agent({ connect: pinnedConnector(request.rules, request.resolve), connections: 1 });
  try {
    return await follow(request, agent);
  } catch (error) {
    request.signal.throwIfAborted();
    throw explained(error);
  } finally {
    await agent.destroy();
  }
}

async function follow(
  { url, rules, limit, signal, mayReach = async () => true }: GuardedFetchRequest,
  agent: Agent,
): Promise<FetchedPage> {
  let target = guardedUrl(url, rules);
  const { hostname: first } = target;
  for (let redirects = 0; ; redirects += 1) {
    const response = await fetch(target, {
      dispatcher: agent,
      redirect: 'manual',
      credentials: 'omit',
      headers: { ...ACCEPT, ...carryTrace(target.hostname) },
      signal,
    });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return page(target, response, limit);
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS)
      throw new FetchRefusedError(`The page redirects more than ${MAX_REDIRECTS} times.`);
    target = guardedUrl(location, rules, target);
    // What a stranger has written may say where a page that somebody has named redirects to.
    if (target.hostname !== first && !(await mayReach(target.hostname))) {
      throw new FetchRefusedError(`It redirects to ${target.hostname}, which was not named.`, {
        modelMessage: `It redirects to ${target.hostname}, which was not named. To ask for it, fetch that address itself: ${target.href.slice(0, 2_000)}`,
      });
    }
  }
}

async function page(url: URL, response: Response, limit: number): Promise<FetchedPage> {
  const header = response.headers.get('content-type') ?? 'text/plain';
  const contentType = header.split(';')[0]!.trim().toLowerCase();
  if (!READABLE.test(contentType)) {
    await response.body?.cancel();
    throw new FetchRefusedError('The page is neither text nor JSON nor XML, and was not read.');
  }
  const { bytes, truncated } = await readBody(response.body as AsyncIterable<Uint8Array> | null, limit);
  return {
    url: url.href,
    status: response.status,
    contentType,
    body: decoderFor(header).decode(bytes),
    truncated,
  };
}

function decoderFor(contentType: string): TextDecoder {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

/** undici wraps whatever went wrong in a "fetch failed"; what we refused ourselves is for the model to read. */
function explained(error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof FetchRefusedError ? error.cause : error;
  if (cause instanceof FetchRefusedError) return cause;
  return new ToolError(
    'The page could not be fetched: its server cannot be reached or does not answer properly.',
    { cause: error, retryable: true },
  );
}
