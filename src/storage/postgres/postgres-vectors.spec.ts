import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PgvectorServer } from '../../../test/harness/pgvector/pgvector.server.js';
import { itemContract, item, LIMITS } from '../../testing/storage/contract/item.contract.js';
import { itemExpiryContract } from '../../testing/storage/contract/item-expiry.contract.js';
import type { StorageHarness } from '../../testing/storage/storage-harness.js';
import { ALICE } from '../../testing/storage/storage-samples.js';
import type { Storage } from '../storage.js';
import { PostgresDatabase } from './postgres.database.js';
import { migrate } from './postgres.migrator.js';
import { PostgresItemStore } from './postgres-item.store.js';
import { advanceClock, schemaName, stopClock, tablesWith } from './postgres.testing.js';

let server: PgvectorServer;
let database: PostgresDatabase;

beforeAll(async () => {
  server = await PgvectorServer.start();
});

afterAll(() => server?.stop());

async function openItems(): Promise<PostgresItemStore> {
  const items = new PostgresItemStore(database);
  await items.open();
  return items;
}

/** Items in a database whose extension is in a schema that is not on the search path. */
async function makeHarness(): Promise<StorageHarness & { readonly storage: Storage }> {
  const options = { url: server.url, schema: schemaName(), poolSize: 1, patienceMs: 10_000 };
  database = new PostgresDatabase(options);
  await database.query('CREATE SCHEMA IF NOT EXISTS "their extensions"');
  await database.query('CREATE EXTENSION IF NOT EXISTS vector SCHEMA "their extensions"');
  await migrate(database);
  await stopClock(database);
  return {
    storage: { items: await openItems() } as unknown as Storage,
    advance: (ms) => advanceClock(database, ms),
    whereIs: (text) => tablesWith(database, text),
    dispose: async () => {
      await database.query(`DROP SCHEMA ${database.schema} CASCADE`);
      await database.close();
    },
  };
}

const test = (title: string, body: (harness: StorageHarness) => Promise<void>) =>
  it(title, async () => {
    const harness = await makeHarness();
    try {
      await body(harness);
    } finally {
      await harness.dispose();
    }
  });

const vectors = (...all: number[][]) => ({ vectors: all.map((each) => new Float32Array(each)) });
/** Items with the numbers from `first` on as keys, each of which is nearer to [0, 1] than the next. */
const toItems = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => item(String(first + index), {}, vectors([first + index, 500])));
const rank = async (items: PostgresItemStore, vector: readonly number[]) => {
  const found = await items.search(ALICE, {
    prefix: [],
    vector: new Float32Array(vector),
    limit: 10,
    offset: 0,
  });
  return found.map(({ key, score }) => [key, score === undefined ? undefined : Number(score.toFixed(3))]);
};

describe('PostgresItemStore with pgvector', () => {
  itemContract({ describe, test, expect });
  itemExpiryContract({ describe, test, expect });

  test('compares in the database, and fetches no vectors', async () => {
    const items = await openItems();
    await items.change(ALICE, [item('far', {}, vectors([0, 1])), item('near', {}, vectors([1, 0]))], LIMITS);
    const query = jest.spyOn(database, 'query');
    expect(await rank(items, [1, 0])).toEqual([
      ['near', 1],
      ['far', 0],
    ]);
    const candidates = await (query.mock.results[0]?.value as Promise<Record<string, unknown>[]>);
    expect(candidates.map(({ vectors: fetched, score }) => [fetched, score])).toEqual([
      [null, 0],
      [null, 1],
    ]);
  });

  test('gives a vector of zeros, and a query of zeros, the score 0', async () => {
    const items = await openItems();
    await items.change(ALICE, [item('zero', {}, vectors([0, 0])), item('one', {}, vectors([1, 0]))], LIMITS);
    expect(await rank(items, [1, 0])).toEqual([
      ['one', 1],
      ['zero', 0],
    ]);
    expect(await rank(items, [0, 0])).toEqual([
      ['zero', 0],
      ['one', 0],
    ]);
  });

  test('compares what was put without pgvector as well, and what was replaced without it', async ({
    advance,
  }) => {
    const before = new PostgresItemStore(database);
    await before.change(ALICE, [item('old', {}, vectors([1, 0]))], LIMITS);
    const items = await openItems();
    await items.change(ALICE, [item('new', {}, vectors([1, 1])), item('both', {}, vectors([1, 0]))], LIMITS);
    await advance(1);
    await before.change(ALICE, [item('both', {}, vectors([-1, 0]))], LIMITS);
    const expected = [
      ['old', 1],
      ['new', 0.707],
      ['both', -1],
    ];
    expect(await rank(items, [1, 0])).toEqual(expected);
    expect(await rank(before, [1, 0])).toEqual(expected);
  });

  test('finds the same after the extension was dropped', async () => {
    const items = await openItems();
    await items.change(ALICE, [item('a', {}, vectors([1, 0])), item('b', {}, vectors([1, 1]))], LIMITS);
    const expected = await rank(items, [1, 0]);
    await database.query('DROP EXTENSION vector');
    expect(await rank(await openItems(), [1, 0])).toEqual(expected);
  });

  for (const [title, loss] of [
    ['the extension is dropped', 'DROP EXTENSION vector'],
    ['the schema of the extension is dropped', 'DROP SCHEMA "their extensions" CASCADE'],
    ['the extension moves to another schema', 'ALTER EXTENSION vector SET SCHEMA public'],
  ] as const) {
    test(`finds the same, and goes on without pgvector, after ${title} while it runs`, async () => {
      const items = await openItems();
      await items.change(ALICE, [item('a', {}, vectors([1, 1])), item('b', {}, vectors([1, 0]))], LIMITS);
      const expected = await rank(items, [1, 0]);
      await database.query(loss);
      try {
        const query = jest.spyOn(database, 'query');
        expect(await rank(items, [1, 0])).toEqual(expected);
        await items.change(ALICE, [item('c', {}, vectors([-1, 0]))], LIMITS);
        query.mockClear();
        expect(await rank(items, [1, 0])).toEqual([...expected, ['c', -1]]);
        expect(query).toHaveBeenCalledTimes(2);
      } finally {
        await database.query('DROP EXTENSION IF EXISTS vector');
      }
    });
  }

  test('finds each item once if the extension is dropped between two pages of a search', async () => {
    const before = new PostgresItemStore(database);
    const items = await openItems();
    await before.change(ALICE, toItems(0, 250), LIMITS);
    await items.change(ALICE, toItems(250, 50), LIMITS);
    const query = database.query.bind(database);
    jest.spyOn(database, 'query').mockImplementationOnce(async (text, values) => {
      const page = await query(text, values);
      await query('DROP EXTENSION vector');
      return page;
    });
    const search = { prefix: [], vector: new Float32Array([0, 1]), limit: 1_000, offset: 0 };
    const found = await items.search(ALICE, search);
    expect(found.map(({ key }) => Number(key))).toEqual(Array.from({ length: 300 }, (_, key) => key));
  });

  test('finds the same, and goes on without pgvector, after its role may no longer use the schema of the extension', async () => {
    const { schema } = database;
    const items = await openItems();
    await items.change(ALICE, [item('a', {}, vectors([1, 1])), item('b', {}, vectors([1, 0]))], LIMITS);
    const expected = await rank(items, [1, 0]);
    await database.query(`CREATE ROLE reader_of_${schema}`);
    await database.query(`GRANT USAGE ON SCHEMA ${schema} TO reader_of_${schema}`);
    await database.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO reader_of_${schema}`);
    await database.query(`SET ROLE reader_of_${schema}`);
    try {
      expect(await rank(items, [1, 0])).toEqual(expected);
    } finally {
      await database.query('RESET ROLE');
    }
  });

  test('fetches the vectors of at most 200 items at a time, wherever in the scope those put without pgvector are', async ({
    advance,
  }) => {
    const before = new PostgresItemStore(database);
    const items = await openItems();
    const put = async (store: PostgresItemStore, first: number, count: number) => {
      expect(await store.change(ALICE, toItems(first, count), LIMITS)).toBe('changed');
    };
    await put(items, 0, 250);
    await put(before, 250, 450);
    await put(items, 700, 100);
    // Replaced without pgvector, in between.
    await advance(1);
    await put(before, 100, 3);
    const query = jest.spyOn(database, 'query');
    const search = { prefix: [], vector: new Float32Array([0, 1]), limit: 1_000, offset: 0 };
    const found = await items.search(ALICE, search);
    expect(found.map(({ key }) => Number(key))).toEqual(Array.from({ length: 800 }, (_, key) => key));
    const pages = await Promise.all(
      query.mock.results.slice(0, -1).map(({ value }) => value as Promise<{ vectors: unknown }[]>),
    );
    const fetched = pages.map((page) => page.filter((row) => row.vectors).length);
    expect(fetched).toEqual([200, 200, 53]);
  });
});
