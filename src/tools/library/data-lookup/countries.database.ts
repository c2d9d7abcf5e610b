// Also runs in a process of its own, from the sources: erasable TypeScript only.
import { createRequire } from 'node:module';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type countriesOfTheWorld from 'world-countries/countries.json';

const SCHEMA = `
  CREATE TABLE countries (
    code TEXT PRIMARY KEY, name TEXT, official_name TEXT, capital TEXT, region TEXT, subregion TEXT,
    area_km2 REAL, latitude REAL, longitude REAL, landlocked INTEGER, independent INTEGER, un_member INTEGER, flag TEXT
  ) WITHOUT ROWID;
  CREATE TABLE languages (country_code TEXT REFERENCES countries, code TEXT, name TEXT, PRIMARY KEY (country_code, code)) WITHOUT ROWID;
  CREATE TABLE currencies (country_code TEXT REFERENCES countries, code TEXT, name TEXT, symbol TEXT, PRIMARY KEY (country_code, code)) WITHOUT ROWID;
  CREATE TABLE borders (country_code TEXT REFERENCES countries, neighbour_code TEXT REFERENCES countries, PRIMARY KEY (country_code, neighbour_code)) WITHOUT ROWID;
`;

/** Fills an empty database with the countries of the `world-countries` package; `code` is ISO 3166-1 alpha-3. */
export function createCountries(database: DatabaseSync): void {
  // When it is used: not every host has it.
  const countries = createRequire(import.meta.url)(
    'world-countries/countries.json',
  ) as typeof countriesOfTheWorld;
  database.exec(`BEGIN; ${SCHEMA}`);
  insert(
    database,
    'countries',
    countries.map((country) => [
      country.cca3,
      country.name.common,
      country.name.official,
      country.capital[0] ?? null,
      country.region,
      country.subregion,
      country.area,
      country.latlng[0] ?? null,
      country.latlng[1] ?? null,
      Number(country.landlocked),
      Number(country.independent ?? false),
      Number(country.unMember),
      country.flag,
    ]),
  );
  insert(
    database,
    'languages',
    countries.flatMap(({ cca3, languages }) =>
      Object.entries(languages).map(([code, name]) => [cca3, code, name]),
    ),
  );
  insert(
    database,
    'currencies',
    countries.flatMap(({ cca3, currencies }) =>
      Object.entries(currencies).map(([code, { name, symbol }]) => [cca3, code, name, symbol]),
    ),
  );
  insert(
    database,
    'borders',
    countries.flatMap(({ cca3, borders }) => borders.map((neighbour) => [cca3, neighbour])),
  );
  database.exec('COMMIT');
}

function insert(database: DatabaseSync, table: string, rows: readonly SQLInputValue[][]): void {
  const placeholders = rows[0]!.map(() => '?').join(', ');
  const statement = database.prepare(`INSERT INTO ${table} VALUES (${placeholders})`);
  for (const row of rows) statement.run(...row);
}
