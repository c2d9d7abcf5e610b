import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { agentToolOptions } from '../../agent-tool.decorator.js';
import { expose } from '../../exposure.js';
import { executeTool } from '../../tool-execution.js';
import { callContext } from '../../tool.testing.js';
import type { ToolLibraryOptions } from '../tool-library.options.js';
import { WebSearchTool, type WebSearchOutput } from './web-search.tool.js';

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
}

describe('WebSearchTool', () => {
  let server: Server;
  let url: string;
  let answer: (request: IncomingMessage) => Answer | undefined | Promise<Answer | undefined>;

  beforeEach(async () => {
    server = createServer((request, response) => {
      void Promise.resolve(answer(request)).then((given) => {
        if (!given) return;
        response.writeHead(given.status ?? 200, { 'content-type': 'application/json' });
        response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? {}));
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function search(
    options: Partial<ToolLibraryOptions>,
    { maxResults = 5, context = callContext() } = {},
  ): Promise<WebSearchOutput> {
    const tool = new WebSearchTool({ knowledgeDirectory: '', ...options });
    const execute = tool.search.bind(tool) as Parameters<typeof executeTool>[0]['execute'];
    return (await executeTool({ execute }, { query: 'nest & sse', maxResults }, context)) as WebSearchOutput;
  }

  it('asks Tavily with the key in a header', async () => {
    let asked: unknown;
    answer = async (request) => {
      const { method, url, headers } = request;
      asked = { method, url, authorization: headers.authorization, body: await json(request) };
      return {
        body: {
          query: 'x',
          results: [{ title: 'Nest', url: 'https://nestjs.com', content: 'SSE', score: 1 }],
        },
      };
    };
    const context = callContext();
    expect(await search({ tavilyApiKey: 'tvly-1', tavilyUrl: url }, { maxResults: 3, context })).toEqual({
      query: 'nest & sse',
      results: [{ title: 'Nest', url: 'https://nestjs.com', excerpt: 'SSE' }],
    });
    expect(asked).toEqual({
      method: 'POST',
      url: '/search',
      authorization: 'Bearer tvly-1',
      body: { query: 'nest & sse', max_results: 3, search_depth: 'basic' },
    });
    expect(context.updates).toEqual(['Asking Tavily…', { message: 'Found 1 page', fraction: 1 }]);
  });

  it('asks a SearXNG below any path and keeps as many results as asked for', async () => {
    let asked: string | undefined;
    answer = (request) => {
      asked = request.url;
      return {
        body: { results: Array.from({ length: 20 }, (_, at) => ({ url: `https://example.com/${at}` })) },
      };
    };
    const { results } = await search({ searxngUrl: `${url}/searx` }, { maxResults: 2 });
    expect(asked).toBe('/searx/search?q=nest+%26+sse&format=json');
    expect(results).toEqual([
      { title: 'https://example.com/0', url: 'https://example.com/0', excerpt: '' },
      { title: 'https://example.com/1', url: 'https://example.com/1', excerpt: '' },
    ]);
  });

  it('names the missing settings of a web search', async () => {
    await expect(search({})).rejects.toMatchObject({
      code: 'TOOL_NOT_CONFIGURED',
      message: expect.stringMatching(/tavilyApiKey.*searxngUrl of ToolLibraryOptions/),
    });
  });

  it('reports a refused key, and a SearXNG without JSON, as not configured', async () => {
    answer = () => ({ status: 401 });
    await expect(search({ tavilyApiKey: 'tvly-1', tavilyUrl: url })).rejects.toMatchObject({
      code: 'TOOL_NOT_CONFIGURED',
      message: expect.not.stringContaining('tvly-1'),
    });
    answer = () => ({ status: 403 });
    await expect(search({ searxngUrl: url })).rejects.toMatchObject({ code: 'TOOL_NOT_CONFIGURED' });
  });

  it.each<[string, Answer]>([
    ['answered 503', { status: 503 }],
    ['not a list of search results', { body: '{"results": [' }],
    ['not a list of search results', { body: { detail: 'no' } }],
  ])('tells the model that the reply of the engine is: %s', async (message, given) => {
    answer = () => given;
    await expect(search({ searxngUrl: url })).rejects.toThrow(message);
  });

  it('tells the model that the engine cannot be reached', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(search({ searxngUrl: url })).rejects.toThrow('SearXNG cannot be reached');
  });

  it('stops a web search when the call is cancelled', async () => {
    const controller = new AbortController();
    answer = () => {
      controller.abort(new Error('cancelled'));
      return undefined;
    };
    const context = callContext({ signal: controller.signal });
    await expect(search({ searxngUrl: url }, { context })).rejects.toThrow('cancelled');
  });

  it('shows viewers of a web search a short query, titles and addresses only', () => {
    const options = agentToolOptions(WebSearchTool.prototype, 'search')!;
    const label = options.label as (input: object) => string;
    expect(label({ query: 'sse\r\nid: 1\u0000 nest' })).toBe('Searching the web for “sse id: 1 nest”');
    expect(label({ query: '🦓'.repeat(100) })).toBe(`Searching the web for “${'🦓'.repeat(59)}…”`);
    const output = { query: 'q', results: [{ title: 'T', url: 'https://a.b', excerpt: 'E' }] };
    expect(expose(options.expose?.output, output)).toEqual({ results: [{ title: 'T', url: 'https://a.b' }] });
    expect(expose(options.expose?.input, { query: 'q' })).toBeUndefined();
  });
});
