import { spawnSync } from 'node:child_process';
import { adviseOnNode } from './node-version.mjs';

// npm test: everything. Files that bring processes of their own (servers that are killed, a database, a browser) go one at
// a time after the others, so that they have the machine to themselves. npm test -- <arguments>: jest, with these arguments; npm test -- --on-postgres <arguments>: the same over PostgreSQL.
const WITH_PROCESSES = 'test/(cluster|kill-loop|page|reliability)/';

// What is promised of streams, protocols and many runs at once is tested on PostgreSQL too: the same files once more.
const ON_POSTGRES_TOO = 'test/(protocols/|(api|approvals|limits|resume|shutdown|sse-traps|streams)\\.spec)';

const advice = adviseOnNode(process.versions.node);
if (advice !== undefined) {
  console.error(advice);
  process.exit(1);
}

const asked = process.argv.slice(2);
if (asked[0] === '--on-postgres') process.exit(onPostgres(...asked.slice(1)));
if (asked.length > 0) process.exit(jest(...asked));

const failed =
  jest('--testPathIgnorePatterns', '/node_modules/', WITH_PROCESSES) || onPostgres(ON_POSTGRES_TOO);
process.exit(failed || jest('--runInBand', WITH_PROCESSES));

function onPostgres(...args) {
  process.env.TEST_STORAGE = 'postgres';
  const [setup, teardown] = ['setup', 'teardown'].map((part) => `test/postgres-${part}.mjs`);
  const failed = jest(`--globalSetup=./${setup}`, `--globalTeardown=./${teardown}`, ...args);
  delete process.env.TEST_STORAGE;
  return failed;
}

function jest(...args) {
  const exit = new URL('./exit.mjs', import.meta.url).href;
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', exit];
  const command = [...options, 'node_modules/jest/bin/jest.js', ...args];
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
}
