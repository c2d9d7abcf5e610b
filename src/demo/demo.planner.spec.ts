import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { evaluateExpression } from '../tools/library/calculator/expression.js';
import { createCountries } from '../tools/library/data-lookup/countries.database.js';
import { readThread } from './demo-intents.js';
import { plan } from './demo.planner.js';
import type { BoundTool } from './demo-tools.js';

function bound(name: string, description: string, argument: string): BoundTool {
  return { name, description, parameters: { properties: { [argument]: { type: 'string' } } } };
}

const LIBRARY: readonly BoundTool[] = [
  bound('web_search', 'Search the public web for current information.', 'query'),
  bound('data_lookup', 'Read from the SQL database.', 'sql'),
  bound('knowledge_search', 'Search the documentation.', 'query'),
  bound('http_fetch', 'Fetch a web page.', 'url'),
  bound('calculator', 'Compute an arithmetic expression.', 'expression'),
  bound('clock', 'The current date, time, weekday and UTC offset in a time zone.', 'timeZone'),
];

/** The calls that the last message leads to, as `tool: argument`. */
function callsFor(...messages: string[]): string[] {
  return plan(readThread(messages), LIBRARY).calls.map(
    ({ name, args }) => `${name}: ${Object.values(args).join()}`,
  );
}

function gapsFor(...messages: string[]): unknown[] {
  return [...plan(readThread(messages), LIBRARY).gaps];
}

describe('the demo planner with calculations', () => {
  it.each([
    [['What is 17% of 3,482?'], '3482 * 17 / 100', '591.94'],
    [['What is 17% of 3,482?', 'and double that'], '(3482 * 17 / 100) * 2', '1183.88'],
    [['What is 17% of 3,482?', 'and double that', 'and half of it'], '((3482 * 17 / 100) * 2) / 2', '591.94'],
    [['What is 17% of 3,482?', 'and 20%?'], '3482 * 20 / 100', '696.4'],
    [['8 times 7?', 'and 50% of that'], '(8 * 7) * 50 / 100', '28'],
    [['What is 8 times 7?', 'plus 10'], '(8 * 7) + 10', '66'],
    [['What is 8 times 7?', 'now divide it by 4'], '(8 * 7) / 4', '14'],
    [['2+2'], '2+2', '4'],
    [['Please compute (3 + 4) * 2^10.'], '(3 + 4) * 2^10', '7168'],
    [["What's the square root of 144?"], 'sqrt(144)', '12'],
    [['12 squared plus 5'], '12^2 + 5', '149'],
    [['What is 1,200 divided by 8?'], '1200 / 8', '150'],
    [['How much is 5 minus 8?'], '5 - 8', '-3'],
    [['Calculate 3.5 x 4'], '3.5 * 4', '14'],
    [['What is the sum of 12 and 30?'], '12 + 30', '42'],
  ])('plans for the message %j the calculation %s', (messages, expression, result) => {
    expect(callsFor(...messages)).toEqual([`calculator: ${expression}`]);
    expect(evaluateExpression(expression)).toBe(result);
  });

  it.each(['Call me at 555-1234', 'It happened on 2024-05-01', 'Lines 10-12 matter'])(
    'plans no calculation for the message %j',
    (message) => {
      expect(callsFor(message)).toEqual([]);
    },
  );
});

describe('the demo planner with times', () => {
  it.each([
    [['What time is it in Tokyo?'], ['Asia/Tokyo']],
    [['What time is it in Tokyo?', 'and in Paris?'], ['Europe/Paris']],
    [['What time is it in Tokyo?', 'thanks', 'what about Hungary?'], ['Europe/Budapest']],
    [['What time is it in Tokyo and New York?'], ['Asia/Tokyo', 'America/New_York']],
    [['time in São Paulo'], ['America/Sao_Paulo']],
    [["what's the time in San Francisco"], ['America/Los_Angeles']],
    [['What is the local time in Asia/Singapore?'], ['Asia/Singapore']],
    [['What time is it in Japan?'], ['Asia/Tokyo']],
    [['What time is it in Germany?'], ['Europe/Berlin']],
    [['What time is it?'], ['UTC']],
  ])('plans for the message %j the time in %j', (messages, zones) => {
    expect(callsFor(...messages)).toEqual(zones.map((zone) => `clock: ${zone}`));
    for (const timeZone of zones) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  });

  it('asks for a city when a country has many time zones or the place is unknown', () => {
    expect(callsFor('What time is it in the US?')).toEqual([]);
    expect(gapsFor('What time is it in the US?')).toEqual([{ reason: 'many-zones', place: 'United States' }]);
    expect(gapsFor('What time is it in Gotham?')).toEqual([{ reason: 'unknown-place', place: 'Gotham' }]);
  });
});

describe('the demo planner with countries', () => {
  const database = new DatabaseSync(':memory:');
  createCountries(database);

  /** First column of the rows that the planned SQL really gives. */
  function rowsFor(...messages: string[]): unknown[] {
    const { calls } = plan(readThread(messages), LIBRARY);
    return calls.flatMap(({ args }) => database.prepare(args.sql ?? '').all());
  }
  const namesFor = (...messages: string[]) =>
    rowsFor(...messages).map((row) => (row as { name: string }).name);

  const BORDERS = 'Which countries border Austria and what are their capitals?';
  it('plans SQL for neighbours and capitals, and for another country after "what about"', () => {
    expect(rowsFor(BORDERS)).toContainEqual({ name: 'Switzerland', capital: 'Bern', area_km2: 41284 });
    expect(namesFor(BORDERS)).toHaveLength(8);
    expect(namesFor(BORDERS, 'what about Hungary?')).toContain('Romania');
    expect(namesFor(BORDERS, 'and Portugal?')).toEqual(['Spain']);
  });

  it.each([
    [["What's the capital of Côte d'Ivoire?"], { capital: 'Yamoussoukro' }],
    [['What is the capital of the UK?'], { capital: 'London' }],
    [['What is the capital of the UK?', 'and its currency?'], { currencies: 'British pound (GBP)' }],
    [['What currency does Japan use?'], { currencies: 'Japanese yen (JPY)' }],
    [['Which languages are spoken in Brazil?'], { languages: 'Portuguese' }],
    [['How big is Iceland?'], { area_km2: 103000 }],
    [['On which continent is Peru?'], { region: 'Americas', subregion: 'South America' }],
    [['tell me about turkey'], { capital: 'Ankara' }],
    [['area and population of Spain'], { area_km2: 505992 }],
  ])('plans for the message %j SQL that returns %j', (messages, expected) => {
    expect(rowsFor(...messages)).toEqual([expect.objectContaining(expected)]);
  });

  it.each([
    [['Largest countries in Africa by area'], 10, 'Algeria'],
    [['Largest countries in Africa by area', 'and in Asia?'], 10, 'China'],
    [['Largest countries in Africa by area', 'and the smallest?'], 10, 'Seychelles'],
    [['Which are the five smallest countries in South America?'], 5, 'Suriname'],
    [['What is the largest country in Europe?'], 1, 'Russia'],
    [['List the landlocked countries in South America'], 2, 'Bolivia'],
  ])('plans for the message %j SQL that returns %i rows, first %s', (messages, count, first) => {
    const names = namesFor(...messages);
    expect(names).toHaveLength(count);
    expect(names[0]).toBe(first);
  });

  it('plans comparisons and counts, and says that the data has no population', () => {
    expect(namesFor('Compare Norway and Sweden')).toEqual(['Norway', 'Sweden']);
    expect(rowsFor('How many countries are there in South America?')).toEqual([{ countries: 12 }]);
    expect(callsFor('What is the population of France?')).toEqual([]);
    expect(gapsFor('What is the population of France?')).toEqual([{ reason: 'no-population' }]);
  });
});

describe('the demo planner with documents and the web', () => {
  it.each([
    [['How do I resume a stream?'], 'knowledge_search: resume stream'],
    [['How do I resume a stream?', 'what about approvals?'], 'knowledge_search: approvals'],
    [['Explain the event log to me'], 'knowledge_search: event log'],
    [['What does the cancel endpoint do?'], 'knowledge_search: cancel endpoint'],
    [['How do I add a tool?'], 'knowledge_search: add tool'],
    [['Which settings are there?'], 'knowledge_search: settings'],
    [['Read https://example.com/a?b=c.'], 'http_fetch: https://example.com/a?b=c'],
    [['What does (https://example.com/docs) say?'], 'http_fetch: https://example.com/docs'],
    [['Search the web for server-sent events'], 'web_search: server-sent events'],
    [['Search the web for cats', 'what about dogs?'], 'web_search: dogs'],
    [['Latest news about NestJS?'], 'web_search: Latest news about NestJS'],
    [["What's the weather in Vienna?"], "web_search: What's the weather in Vienna"],
  ])('plans for the message %j the call %s', (messages, call) => {
    expect(callsFor(...messages)).toEqual([call]);
  });

  it.each([
    'hello',
    'Who are you?',
    'Write me a poem',
    'Who won the 1998 world cup?',
    'I like turkey sandwiches',
    '',
  ])('plans no call for the message %j', (message) => {
    expect(plan(readThread([message]), LIBRARY)).toEqual({ calls: [], gaps: [] });
  });
});

describe('the demo planner', () => {
  it('plans several calls when a message asks for several things', () => {
    expect(callsFor('What time is it in Tokyo? How do I resume a stream? And what is 2+3?')).toEqual([
      'clock: Asia/Tokyo',
      'knowledge_search: resume stream',
      'calculator: 2+3',
    ]);
    expect(callsFor('What is 17% of 3,482 and what time is it in Tokyo?')).toEqual([
      'calculator: 3482 * 17 / 100',
      'clock: Asia/Tokyo',
    ]);
  });

  it.each(['(', '1', ' ', 'a ', 'what '])('plans quickly for a message of a million times %j', (piece) => {
    expect(callsFor(piece.repeat(1_000_000))).toEqual([]);
  });

  it('plans no call to a tool that is not bound', () => {
    const withoutClock = LIBRARY.filter(({ name }) => name !== 'clock');
    expect(plan(readThread(['What time is it in Tokyo?']), withoutClock)).toEqual({
      calls: [],
      gaps: [{ reason: 'no-tool', role: 'clock' }],
    });
  });

  it('recognizes a tool by its description and argument names when its name says nothing', () => {
    const tools = [bound('abacus', 'Does arithmetic for you.', 'formula')];
    expect(plan(readThread(['2+2']), tools).calls).toEqual([
      expect.objectContaining({ name: 'abacus', args: { formula: '2+2' } }),
    ]);
    const unusable = [bound('abacus', 'Does arithmetic for you.', 'beads')];
    expect(plan(readThread(['2+2']), unusable).gaps).toEqual([{ reason: 'no-tool', role: 'calculator' }]);
  });
});
