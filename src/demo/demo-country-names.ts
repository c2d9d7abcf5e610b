import { createRequire } from 'node:module';
import type countriesOfTheWorld from 'world-countries/countries.json';
import { isInstalled } from '../optional-packages.js';
import { anyName, fold } from './demo-names.js';

/** A country or territory, by the codes of ISO 3166-1 and the name that the data set uses. */
export interface Country {
  readonly alpha3: string;
  readonly alpha2: string;
  readonly name: string;
  /** Undefined for the few that have none. */
  readonly capital: string | undefined;
}

/** Names that people write and the data set does not list. */
const MORE_NAMES: Readonly<Record<string, string>> = {
  america: 'USA',
  turkey: 'TUR',
  britain: 'GBR',
  england: 'GBR',
  'czech republic': 'CZE',
  'ivory coast': 'CIV',
  'bosnia-herzegovina': 'BIH',
  bosnia: 'BIH',
  congo: 'COG',
};
/** Short forms that are names only when written in capitals. */
const CAPITALS: Readonly<Record<string, string>> = {
  US: 'USA',
  USA: 'USA',
  'U.S.': 'USA',
  UK: 'GBR',
  'U.K.': 'GBR',
  UAE: 'ARE',
};
const CAPITALS_PATTERN = /(?<![\p{L}.])(?:USA|US|UK|UAE|U\.S\.|U\.K\.)(?!\p{L})/gu;

/** The data set. Where it is not installed the demo knows no country. */
const countries: typeof countriesOfTheWorld = isInstalled('world-countries')
  ? (createRequire(import.meta.url)('world-countries/countries.json') as typeof countriesOfTheWorld)
  : [];

const BY_CODE = new Map<string, Country>();
const BY_NAME = new Map<string, Country>();
const REGIONS = new Map<string, string>([['america', 'Americas']]);

for (const { cca3, cca2, name, capital, region, subregion } of countries) {
  const country = { alpha3: cca3, alpha2: cca2, name: name.common, capital: capital[0] };
  BY_CODE.set(cca3, country);
  BY_NAME.set(fold(name.common), country);
  BY_NAME.set(fold(name.official), country);
  for (const part of [region, subregion]) if (part) REGIONS.set(fold(part), part);
}
for (const { cca3, altSpellings } of countries) {
  const country = BY_CODE.get(cca3);
  // Three letters and less are codes, which are also words: "AT", "IN", "NO".
  const names = altSpellings.map(fold).filter((name) => name.length > 3 && !BY_NAME.has(name));
  if (country) for (const name of names) BY_NAME.set(name, country);
}
for (const [name, code] of Object.entries(MORE_NAMES)) {
  const country = BY_CODE.get(code);
  if (country) BY_NAME.set(name, country);
}
const COUNTRY = anyName(BY_NAME.keys());
const REGION = anyName(REGIONS.keys());

/** The countries that a text names, in its order, each once. */
export function findCountries(text: string): Country[] {
  // "North America" and "South America" are not the country that is called America for short.
  const folded = fold(text).replaceAll(/\b(?:north|south|central|latin) america\b/g, (name) =>
    ' '.repeat(name.length),
  );
  const named = [...folded.matchAll(COUNTRY)].map((match) => ({
    at: match.index,
    country: BY_NAME.get(match[0]),
  }));
  const short = [...text.matchAll(CAPITALS_PATTERN)].map((match) => ({
    at: match.index,
    country: BY_CODE.get(CAPITALS[match[0]] ?? ''),
  }));
  const inOrder = [...named, ...short].sort((one, other) => one.at - other.at);
  return [...new Set(inOrder.flatMap(({ country }) => country ?? []))];
}

/** The continent or part of one that a text names, as the data set writes it. */
export function findRegion(text: string): string | undefined {
  const name = fold(text).match(REGION)?.[0];
  return name && REGIONS.get(name);
}
