import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { listRoutes, pathWith, type AppRoute } from '../support/app-routes.js';
import { startApp, type AppServer } from '../support/app.server.js';
import { ROWS, type Thing } from './tenancy.rows.js';

/** FUZZ_RUNS=20000 FUZZ_SEED=7 npm test -- test/security/fuzz.spec.ts: more, or the same again. A failure prints its seed. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 400);
const SEED = process.env['FUZZ_SEED'] === undefined ? undefined : Number(process.env['FUZZ_SEED']);

const KEY = 'key-of-ann-with-enough-characters';
const ANSWER_MS = 10_000;

describe('routes under random requests', () => {
  let server: AppServer;
  let routes: AppRoute[];
  let thing: Thing;

  beforeAll(async () => {
    server = await startApp({
      AUTH_API_KEYS: `${KEY}:ann@acme`,
      AUTH_TICKET_SECRET: 'a secret of at least thirty-two characters',
      STARTS_PER_MINUTE: '100000',
      MAX_OPEN_STREAMS: '1000',
      MAX_CONCURRENT_RUNS: '1000',
      LOG_LEVEL: 'error',
    });
    routes = listRoutes(server.app).filter(({ path }) => !path.startsWith('/docs'));
    const stream = await server.ask({ message: 'hello' }, { 'x-api-key': KEY });
    const { data } = await stream.frame('ready');
    await stream.closed();
    const { runId, threadId } = data as Record<string, string>;
    thing = {
      runId: runId ?? '',
      threadId: threadId ?? '',
      inputId: 'a-1',
      fileId: 'f-1',
      assistantId: 'as-1',
    };
  });

  afterAll(() => server.close());

  it(
    'answers random requests without a 5xx, an error in the log or an internal detail',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), requestParts, async (index, parts) => {
          const route = routes[index % routes.length]!;
          const { status, type, text } = await ask(route, parts);
          expect({ route, status, text }).toMatchObject({ status: expect.any(Number) });
          expect(status).toBeLessThan(500);
          expect(text).not.toMatch(/node_modules|\.[jt]s:\d|\bat \w+ \(|SQLITE|syntax error|Internal error/);
          const isText = [404, 409].includes(status) && route.path.startsWith('/protocols/langgraph/');
          const form = isText
            ? /^text\/plain|^application\/(problem\+)?json/
            : /^application\/(problem\+)?json/;
          if (status >= 400 && text !== '') expect(type).toMatch(form);
        }),
        { numRuns: RUNS, ...(SEED !== undefined && { seed: SEED }) },
      );
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      expect(server.log.filter((line) => /"level":"?(error|fatal|50|60)/.test(line))).toEqual([]);
    },
    60_000 + RUNS * 50,
  );

  it('answers without a 5xx when any value of a valid body is replaced', async () => {
    for (const route of routes) {
      for (const [row, { request }] of (ROWS[`${route.method} ${route.path}`] ?? []).entries()) {
        const { body } = request(thing);
        if (body === undefined) continue;
        for (let at = 0; at < countPlaces(body); at++) {
          for (const value of [{ toString: 1 }, { valueOf: null, toString: null }, null, [[]]]) {
            const { status, text } = await ask(route, { ...FITTING, row, at, value });
            if (status >= 500)
              throw new Error(`${route.path}, place ${at}, ${JSON.stringify(value)}: ${text}`);
          }
        }
      }
    }
  });

  async function ask(route: AppRoute, parts: Parts) {
    const rows = ROWS[`${route.method} ${route.path}`] ?? [];
    const row = rows[parts.row % Math.max(1, rows.length)];
    const fitting = row?.request(parts.isOwn ? thing : { ...thing, ...parts.ids }) ?? {};
    const params = {
      ...fitting.params,
      ...(parts.strangeId !== undefined && nameAll(route, parts.strangeId)),
    };
    const query = [fitting.query, parts.query].filter(Boolean).join('&');
    const body = bodyFor(fitting.body, parts);
    const response = await fetch(`${server.origin}${pathWith(route, params)}${query ? `?${query}` : ''}`, {
      method: parts.method ?? route.method,
      headers: {
        'content-type': 'application/json',
        'x-api-key': KEY,
        ...fitting.headers,
        ...parts.headers,
      },
      ...(body !== undefined && !['GET', 'HEAD'].includes(parts.method ?? route.method) && { body }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) {
      await response.body?.cancel();
      return { status: response.status, type, text: '' };
    }
    return { status: response.status, type, text: response.status < 400 ? '' : await response.text() };
  }
});

interface Parts {
  readonly row: number;
  readonly isOwn: boolean;
  readonly ids: Partial<Thing>;
  readonly strangeId: string | undefined;
  readonly query: string;
  readonly method: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string | undefined;
  readonly at: number;
  readonly value: unknown;
}

const FITTING: Parts = {
  row: 0,
  isOwn: true,
  ids: {},
  strangeId: undefined,
  query: '',
  method: undefined,
  headers: {},
  raw: undefined,
  at: 0,
  value: undefined,
};

function countPlaces(body: unknown): number {
  if (typeof body !== 'object' || body === null) return 1;
  return 1 + Object.values(body).reduce((sum: number, inner) => sum + countPlaces(inner), 0);
}

/** Names that mean something somewhere, and any others. */
const strange = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '..',
    '%00',
    "' OR 1=1--",
    '*',
    'null',
    '0',
    '-1',
    'NaN',
    'x'.repeat(300),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text.isWellFormed() && text !== ''),
);

/** Values that fit nowhere, and now and then values that trip a careless parser. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1e308,
    true,
    [],
    {},
    { toString: 1 },
    { valueOf: null, toString: null },
    JSON.parse('{"then":"x"}'),
    { length: 1e9 },
    [[[[[[]]]]]],
    '\0',
    '\ud800',
    { toJSON: 1 },
  ),
  fc.constant(
    JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as unknown,
  ),
  strange,
  fc.jsonValue({ maxDepth: 4 }),
);

/** A header as node lets one be sent. */
const headerText = fc
  .string({ maxLength: 60 })
  .map((text) => text.replaceAll(/[^\x20-\x7e]/g, '').trim())
  .filter((text) => text !== '');

const requestParts: fc.Arbitrary<Parts> = fc.record({
  row: fc.nat(20),
  isOwn: fc.boolean(),
  ids: fc.record({ threadId: fc.stringMatching(/^[\w-]{1,64}$/), runId: fc.stringMatching(/^[\w-]{1,64}$/) }),
  strangeId: fc.option(strange, { nil: undefined, freq: 3 }),
  query: fc.oneof(
    fc.constant(''),
    fc
      .tuple(
        fc.constantFrom(
          'limit',
          'cursor',
          'ticket',
          'lastEventId',
          'stream',
          'stream_mode',
          'wait',
          'action',
          'offset',
          'status',
          '__proto__',
          'a[b]',
        ),
        strange,
      )
      .map(([name, text]) => `${name}=${encodeURIComponent(text)}`),
  ),
  method: fc.option(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'), {
    nil: undefined,
    freq: 5,
  }),
  headers: fc.dictionary(
    fc.constantFrom(
      'last-event-id',
      'idempotency-key',
      'accept',
      'a2a-version',
      'origin',
      'authorization',
      'cookie',
      'x-forwarded-for',
      'if-none-match',
      'range',
      'content-type',
      'content-encoding',
    ),
    headerText,
    { maxKeys: 2 },
  ),
  raw: fc.option(fc.oneof(fc.string({ maxLength: 50 }), fc.json()), { nil: undefined, freq: 5 }),
  at: fc.nat(30),
  value: fc.option(value, { nil: undefined, freq: 4 }),
});

function nameAll({ path }: AppRoute, id: string): Record<string, string> {
  return Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, id]));
}

/** A body that fits but for one value, or one that is anything. */
function bodyFor(fitting: unknown, { raw, at, value: other }: Parts): string | undefined {
  if (raw !== undefined) return raw;
  if (other === undefined) return fitting === undefined ? undefined : JSON.stringify(fitting);
  let place = 0;
  const change = (here: unknown): unknown => {
    if (place++ === at) return other;
    if (Array.isArray(here)) return here.map(change);
    if (typeof here !== 'object' || here === null) return here;
    return Object.fromEntries(Object.entries(here).map(([name, inner]) => [name, change(inner)]));
  };
  return JSON.stringify(change(fitting ?? {}));
}
