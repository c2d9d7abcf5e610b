import { findCountries, findRegion, type Country } from './demo-country-names.js';

/** Facts that people ask about a country. The population is asked for often and is not in the data set. */
export type CountryFact = 'capital' | 'area' | 'currency' | 'languages' | 'region' | 'population';

/** A question about countries. */
export type CountryQuestion =
  | { readonly about: 'neighbours'; readonly countries: readonly Country[] }
  | {
      readonly about: 'facts';
      readonly countries: readonly Country[];
      readonly facts: readonly CountryFact[];
    }
  | {
      readonly about: 'ranking';
      readonly order: 'largest' | 'smallest';
      readonly limit: number;
      readonly region?: string;
    }
  | {
      readonly about: 'list';
      readonly count: boolean;
      readonly landlocked: boolean;
      readonly region?: string;
    };

const FACTS: Readonly<Record<CountryFact, RegExp>> = {
  capital: /\bcapitals?\b/i,
  area: /\bareas?\b|\bhow (?:big|large)\b|\bsize\b|\bsquare (?:kilo)?met|\bkm²/i,
  currency: /\bcurrenc(?:y|ies)\b|\bmoney\b|\bpay (?:with|in)\b/i,
  languages: /\blanguages?\b|\bspeaks?\b|\bspoken\b/i,
  region: /\bregion\b|\bcontinent\b|\bwhere is\b|\blocated\b/i,
  population: /\bpopulation\b|\binhabitants\b|\bhow many people\b|\bpopulous\b/i,
};
const FACT_NAMES = Object.keys(FACTS) as CountryFact[];
/** Facts for "tell me about Austria". */
const USUAL_FACTS: readonly CountryFact[] = ['capital', 'region', 'area', 'currency', 'languages'];

const NEIGHBOURS = /\bborder(?:s|ing)?\b|\bneighbou?r(?:s|ing)?\b|\bnext to\b|\badjacent\b/i;
const LARGEST = /\b(?:largest|biggest)\b/i;
const SMALLEST = /\bsmallest\b/i;
const COUNTRIES = /\bcountr(?:y|ies)\b|\bstates\b|\bnations?\b/i;
const LISTS = /\b(?:list|which|what|show|name|all|how many|count|number of)\b/i;
const INTRODUCES = /\b(?:tell me about|facts (?:about|on|of)|compare|information (?:about|on))\b/i;
const MOST_ROWS = 25;

/**
 * Reads a question about countries; undefined when it is none, or about something the data does not hold.
 *
 * @param previous with it, the message may leave out what it shares with the question before: "what about Hungary?",
 *   "and its currency?", "and the smallest?", "and in Asia?"
 */
export function readCountryQuestion(text: string, previous?: CountryQuestion): CountryQuestion | undefined {
  return readWhole(text) ?? (previous && readVariation(text, previous));
}

function readWhole(text: string): CountryQuestion | undefined {
  const countries = findCountries(text);
  const facts = findFacts(text);
  if (countries.length > 0) {
    if (NEIGHBOURS.test(text)) return { about: 'neighbours', countries };
    if (facts.length > 0) return { about: 'facts', countries, facts };
    return INTRODUCES.test(text) ? { about: 'facts', countries, facts: USUAL_FACTS } : undefined;
  }
  if (!COUNTRIES.test(text)) return undefined;
  const region = findRegion(text);
  if (LARGEST.test(text) || SMALLEST.test(text)) {
    return {
      about: 'ranking',
      order: SMALLEST.test(text) ? 'smallest' : 'largest',
      limit: findLimit(text),
      region,
    };
  }
  const landlocked = /\bland-?locked\b/i.test(text);
  if (!LISTS.test(text) || (!region && !landlocked)) return undefined;
  return { about: 'list', count: /\bhow many\b|\bcount\b|\bnumber of\b/i.test(text), landlocked, region };
}

function readVariation(text: string, previous: CountryQuestion): CountryQuestion | undefined {
  const countries = findCountries(text);
  const facts = findFacts(text);
  const region = findRegion(text);
  switch (previous.about) {
    case 'neighbours':
    case 'facts':
      if (countries.length > 0) return { ...previous, countries };
      if (NEIGHBOURS.test(text)) return { about: 'neighbours', countries: previous.countries };
      return facts.length > 0 ? { about: 'facts', countries: previous.countries, facts } : undefined;
    case 'ranking':
      if (SMALLEST.test(text)) return { ...previous, order: 'smallest', region: region ?? previous.region };
      if (LARGEST.test(text)) return { ...previous, order: 'largest', region: region ?? previous.region };
      return region ? { ...previous, region } : undefined;
    case 'list':
      return region ? { ...previous, region } : undefined;
  }
}

function findFacts(text: string): CountryFact[] {
  return FACT_NAMES.filter((fact) => FACTS[fact].test(text));
}

function findLimit(text: string): number {
  const numerals = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
  const limit =
    /\b(\d{1,3})\b/.exec(text)?.[1] ??
    numerals.findIndex((word) => new RegExp(`\\b${word}\\b`, 'i').test(text)) + 1;
  return Math.min(Number(limit) || (/\bcountry\b/i.test(text) ? 1 : 10), MOST_ROWS);
}
