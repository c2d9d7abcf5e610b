import { z } from 'zod';
import { AppError } from '../../../errors.js';
import { nameOption } from '../../../option-names.js';
import { ToolError } from '../../tool.error.js';
import { readBody } from '../read-body.js';
import type { ToolLibraryOptions } from '../tool-library.options.js';

const ANSWER_LIMIT = 2 * 1024 * 1024;
const EXCERPT_LIMIT = 2_000;

export interface SearchResult {
  readonly title: string;
  readonly url: string;
  readonly excerpt: string;
}

export interface SearchRequest {
  readonly query: string;
  readonly maxResults: number;
  readonly signal: AbortSignal;
}

export interface SearchEngine {
  /** As people know it. */
  readonly name: string;
  /** @throws AppError `TOOL_NOT_CONFIGURED` when the engine refuses us; ToolError when it fails */
  search(request: SearchRequest): Promise<readonly SearchResult[]>;
}

/** The engine that the settings ask for; undefined when they name none. */
export function engineFor(options: ToolLibraryOptions): SearchEngine | undefined {
  if (options.tavilyApiKey)
    return tavily(options.tavilyApiKey, options.tavilyUrl ?? 'https://api.tavily.com');
  return options.searxngUrl ? searxng(options.searxngUrl) : undefined;
}

function tavily(apiKey: string, baseUrl: string): SearchEngine {
  return {
    name: 'Tavily',
    async search({ query, maxResults, signal }) {
      const response = await ask('Tavily', endpoint(baseUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
        body: JSON.stringify({ query, max_results: maxResults, search_depth: 'basic' }),
        redirect: 'error',
        signal,
      });
      if (response.status === 401 || response.status === 403) {
        throw new AppError(
          'TOOL_NOT_CONFIGURED',
          `Tavily refuses the key. Check ${nameOption('tavilyApiKey of ToolLibraryOptions')}.`,
        );
      }
      return toResults(await readReply('Tavily', response), maxResults);
    },
  };
}

function searxng(baseUrl: string): SearchEngine {
  return {
    name: 'SearXNG',
    async search({ query, maxResults, signal }) {
      const url = endpoint(baseUrl);
      url.searchParams.set('q', query);
      url.searchParams.set('format', 'json');
      const response = await ask('SearXNG', url, { headers: { accept: 'application/json' }, signal });
      if (response.status === 403) {
        throw new AppError(
          'TOOL_NOT_CONFIGURED',
          `The SearXNG at ${nameOption('searxngUrl of ToolLibraryOptions')} does not answer in JSON. Add json to search.formats in its settings.yml.`,
        );
      }
      // It has no parameter for the number of results.
      return toResults(await readReply('SearXNG', response), maxResults);
    },
  };
}

/** `/search` below the base, whether or not that ends in a slash. */
function endpoint(baseUrl: string): URL {
  return new URL('search', baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
}

async function ask(engine: string, url: URL, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal.throwIfAborted();
    throw new ToolError(`${engine} cannot be reached. Try again later or answer without it.`, {
      cause,
      retryable: true,
    });
  }
}

const ANSWER = z.object({
  results: z.array(z.object({ title: z.string().nullish(), url: z.string(), content: z.string().nullish() })),
});

async function readReply(engine: string, response: Response): Promise<z.output<typeof ANSWER>> {
  if (!response.ok) {
    await response.body?.cancel();
    throw new ToolError(`${engine} answered ${response.status}. Try again later or answer without it.`, {
      retryable: true,
    });
  }
  const { bytes } = await readBody(response.body, ANSWER_LIMIT);
  const answer = ANSWER.safeParse(parseJson(bytes));
  if (!answer.success)
    throw new ToolError(`${engine} answered with something that is not a list of search results.`);
  return answer.data;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function toResults({ results }: z.output<typeof ANSWER>, maxResults: number): readonly SearchResult[] {
  return results.slice(0, maxResults).map(({ title, url, content }) => ({
    title: title || url,
    url,
    excerpt: (content ?? '').slice(0, EXCERPT_LIMIT),
  }));
}
