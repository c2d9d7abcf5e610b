import { describe, expect, it } from '@jest/globals';
import { writeResult, type ToolOutcome } from './demo-results.js';

function write(outcome: Partial<ToolOutcome> & { readonly value: unknown }): string {
  const { value, ...rest } = outcome;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return writeResult({
    toolName: 'a_tool',
    role: undefined,
    intent: undefined,
    failed: false,
    text,
    ...rest,
  });
}

describe('writeResult', () => {
  it('formats the number of a calculation', () => {
    expect(write({ role: 'calculator', value: { expression: '1e3*1234.5', result: '1234500' } })).toBe(
      '`1e3*1234.5` = **1,234,500**',
    );
    expect(write({ role: 'calculator', value: { expression: '5 inch to cm', result: '12.7 cm' } })).toContain(
      '**12.7 cm**',
    );
  });

  it('tells the time of a place with its date and offset', () => {
    const value = {
      timeZone: 'Asia/Tokyo',
      local: '2026-03-29T09:05:00+09:00',
      weekday: 'Sunday',
      offset: '+09:00',
      utc: '2026-03-29T00:05:00.000Z',
    };
    expect(
      write({ role: 'clock', value, intent: { kind: 'time', place: 'Tokyo', zone: 'Asia/Tokyo' } }),
    ).toBe('In Tokyo it is **09:05** on Sunday, 29 March 2026 (Asia/Tokyo, UTC+09:00).');
  });

  it('writes rows as a table that bars and missing values do not break', () => {
    const value = {
      columns: ['name', 'area_km2'],
      rows: [
        ['A|B', 1234567.5],
        ['C', 1],
      ],
      truncated: false,
    };
    expect(write({ role: 'lookup', value })).toBe(
      'The data says:\n\n| Name | Area (km²) |\n| --- | ---: |\n| A\\|B | 1,234,567.5 |\n| C | 1 |',
    );
    expect(write({ role: 'lookup', value: { columns: ['x'], rows: [[null]] } })).toContain('| – |');
    expect(write({ role: 'lookup', value: { columns: ['x'], rows: [] } })).toContain(
      'No such entry in the data.',
    );
  });

  it('shows the first rows of many and says how many more there are', () => {
    const value = { columns: ['n'], rows: Array.from({ length: 40 }, (_, n) => [n]) };
    expect(write({ role: 'lookup', value })).toMatch(/\| 24 \|\n\nAnd 15 more\.$/);
  });

  it('links results of a web search, and only to web addresses', () => {
    const results = [
      { title: 'A [page]', url: 'https://example.com/a', excerpt: '# Head\n\nwords' },
      { title: 'Bad', url: 'javascript:alert(1)', excerpt: '' },
    ];
    const text = write({ role: 'search', value: { query: 'q', results } });
    expect(text).toContain('- **[A  page](https://example.com/a)**\n\n  > Head: words');
    expect(text).not.toContain('](javascript:');
    expect(write({ role: 'search', value: { query: 'q', results: [] } })).toBe(
      'The web search found nothing.',
    );
  });

  it('names the document of a passage from the knowledge search', () => {
    const value = {
      results: [{ file: 'event-protocol.md', heading: 'Frame > Rules', excerpt: '- A cursor\n- A seq' }],
    };
    expect(write({ role: 'knowledge', value })).toBe(
      'In the documentation:\n\n- **Frame › Rules** (`event-protocol.md`)\n\n  > A cursor; A seq',
    );
  });

  it('quotes the start of a page with its source and its error status', () => {
    const value = { url: 'https://example.com/', status: 404, title: 'Not here', text: 'Nothing to see.' };
    expect(write({ role: 'fetch', value })).toBe(
      '**Not here** answered with status 404 and begins:\n\n> Nothing to see.\n\nSource: <https://example.com/>',
    );
  });

  it('quotes the result of an unknown tool', () => {
    expect(write({ value: 'one\ntwo' })).toBe('`a_tool` answered:\n\n> one\n> two');
  });

  it('says what to set when a tool is not configured, and nothing else of an error', () => {
    const failed = true;
    expect(
      write({ role: 'search', failed, value: 'Web search is not configured. Set TAVILY_API_KEY.' }),
    ).toBe('The web could not be searched. Web search is not configured. Set TAVILY_API_KEY.');
    expect(write({ failed, value: 'connect ECONNREFUSED 10.0.0.7:5432' })).toBe('The tool `a_tool` failed.');
  });
});
