import { describe, expect, it } from '@jest/globals';
import { ToolError } from '../tool.error.js';
import { callContext } from '../tool.testing.js';
import { CalculatorTool } from './calculator/calculator.tool.js';
import { ClockTool } from './clock.tool.js';
import { DataLookupTool } from './data-lookup/data-lookup.tool.js';
import { HttpFetchTool } from './http-fetch/http-fetch.tool.js';
import { WebSearchTool } from './web-search/web-search.tool.js';

const OPTIONS = { knowledgeDirectory: '' };
const lookUp = (sql: string) => new DataLookupTool(OPTIONS).lookUp({ sql }, callContext());
const read = (url: string) => new HttpFetchTool(OPTIONS).read({ url }, callContext());
const search = async () => {
  const tool = new WebSearchTool({ ...OPTIONS, searxngUrl: 'http://127.0.0.1:1' });
  for await (const _ of tool.search({ query: 'x', maxResults: 1 }, callContext()));
};

describe('errors of the tool library', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a bad formula',
      () => new CalculatorTool().calculate({ expression: '2 +' }, callContext()),
      /cannot be read/,
    ],
    [
      'an unknown name',
      () => new CalculatorTool().calculate({ expression: 'foo + 1' }, callContext()),
      /'foo'/,
    ],
    ['an unknown time zone', async () => new ClockTool().now({ timeZone: 'Nowhere' }), /'Nowhere'/],
    ['text that is not a URL', () => read('nowhere'), /not a URL/],
    ['a refused address', () => read('http://127.0.0.1/secret'), /not on the public internet|not allow/],
    [
      'an unreachable host',
      () => read('http://no-such-host.invalid/?token=1'),
      /cannot be reached|no address/,
    ],
    ['two statements', () => lookUp('SELECT 1; SELECT 2'), /one statement/],
    ['an engine that is away', search, /SearXNG cannot be reached/],
  ])('names the cause of %s to viewers, without secrets', async (_name, call, words) => {
    const error = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(ToolError);
    expect((error as ToolError).message).toMatch(words);
    expect((error as ToolError).message).not.toMatch(/token|secret/);
  });

  it("hides a database's error from viewers and passes it to the model", async () => {
    await expect(lookUp('SELECT salary FROM countries')).rejects.toMatchObject({
      message: 'The database rejected the query.',
      modelMessage: expect.stringContaining('salary'),
    });
  });
});
