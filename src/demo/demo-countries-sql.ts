import type { CountryFact, CountryQuestion } from './demo-countries.js';

/** Columns of the shipped data set by fact. It does not have the population. */
const COLUMNS: Readonly<Partial<Record<CountryFact, string>>> = {
  capital: 'c.capital',
  area: 'c.area_km2',
  currency:
    "(SELECT group_concat(name || ' (' || code || ')', ', ') FROM currencies WHERE country_code = c.code) AS currencies",
  languages: "(SELECT group_concat(name, ', ') FROM languages WHERE country_code = c.code) AS languages",
  region: 'c.region, c.subregion',
};

/**
 * The SQL that answers a question about countries; undefined when it is all about what the data does not hold. What comes
 * from the message is a code or a region of the data set itself, never text as it was typed.
 */
export function countriesSql(question: CountryQuestion): string | undefined {
  switch (question.about) {
    case 'neighbours':
      return [
        'SELECT DISTINCT n.name, n.capital, n.area_km2',
        'FROM borders b JOIN countries n ON n.code = b.neighbour_code',
        `WHERE b.country_code IN (${codes(question)}) ORDER BY n.name`,
      ].join(' ');
    case 'facts': {
      const columns = question.facts.map((fact) => COLUMNS[fact]).filter((column) => column !== undefined);
      if (columns.length === 0) return undefined;
      return `SELECT c.name, ${columns.join(', ')} FROM countries c WHERE c.code IN (${codes(question)}) ORDER BY c.name`;
    }
    case 'ranking': {
      const order = question.order === 'largest' ? 'DESC' : 'ASC';
      const where = conditions(question.region, false);
      return `SELECT name, capital, area_km2 FROM countries${where} ORDER BY area_km2 ${order} LIMIT ${question.limit}`;
    }
    case 'list': {
      const where = conditions(question.region, question.landlocked);
      return question.count
        ? `SELECT count(*) AS countries FROM countries${where}`
        : `SELECT name, capital, area_km2 FROM countries${where} ORDER BY name`;
    }
  }
}

function codes({ countries }: { readonly countries: readonly { readonly alpha3: string }[] }): string {
  return countries.map(({ alpha3 }) => `'${alpha3}'`).join(', ');
}

/** Only countries in the strict sense: the data also has dependent islands and rocks. */
function conditions(region: string | undefined, landlocked: boolean): string {
  const all = [
    ...(region
      ? [`(region = '${region.replaceAll("'", "''")}' OR subregion = '${region.replaceAll("'", "''")}')`]
      : []),
    ...(landlocked ? ['landlocked = 1'] : []),
    'independent = 1',
  ];
  return ` WHERE ${all.join(' AND ')}`;
}
