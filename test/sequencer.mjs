import { statSync } from 'node:fs';

/** Files that take longer than their size says. One that starts last keeps the other worker waiting. */
const LONG = [
  'ruined-threads',
  'poison',
  'each-commit',
  'cluster/',
  'kill-loop/',
  'postgres.storage',
  's3-storage',
  'page/clients',
  'page/firefox',
  'pgbouncer',
  'many-streams',
  'generated-clients',
  'sse-traps',
];

/** The order in which jest runs files: those that take long first, and the same on a fresh clone as everywhere else. */
export default class LongestFirst {
  sort(tests) {
    const size = new Map(tests.map((test) => [test, statSync(test.path).size]));
    const rank = ({ path }) => LONG.findIndex((part) => path.includes(part)) >>> 0;
    return tests.toSorted((one, other) => rank(one) - rank(other) || size.get(other) - size.get(one));
  }

  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
