import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adviseOnNode } from './node-version.mjs';

// npm test: everything, in five parts, each of which runs whatever became of the one before. Files that start many processes of their
// own go one at a time after the others, so that they have the machine to themselves.
// npm test -- <arguments>: jest, with these arguments; npm test -- --on-postgres <arguments>: the same over PostgreSQL.
const WITH_PROCESSES = 'test/(reliability|telemetry)/';
const WITH_MANY_PROCESSES = 'test/(cluster|kill-loop)/';
const IN_A_BROWSER = 'test/page/';

// What is promised of streams, protocols and many runs at once is tested on PostgreSQL too: the same files once more.
const ON_POSTGRES_TOO = 'test/(protocols/|(api|approvals|limits|resume|shutdown|sse-traps|streams)\\.spec)';

/** Starts one PostgreSQL for all files of a run. */
const SHARED_POSTGRES = ['setup', 'teardown'].map(
  (part) => `--global${part[0].toUpperCase()}${part.slice(1)}=./test/postgres-${part}.mjs`,
);

const ROOT = fileURLToPath(new URL('../', import.meta.url));

const advice = adviseOnNode(process.versions.node);
if (advice !== undefined) {
  console.error(advice);
  process.exit(1);
}
// Each storage on SQLite starts a thread, and from the sources Node compiles its files again for each: three quarters of an opening.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules/.cache/node-compile');

const asked = process.argv.slice(2);
if (asked[0] === '--on-postgres') process.exit(onPostgres(...asked.slice(1)));
process.exit(asked.length > 0 ? jest(...asked) : everything());

function everything() {
  const reports = mkdtempSync(join(tmpdir(), 'test-reports-'));
  const PARTS = {
    'on SQLite': (...args) =>
      jest(
        ...SHARED_POSTGRES,
        ...args,
        '--testPathIgnorePatterns',
        '/node_modules/',
        WITH_PROCESSES,
        WITH_MANY_PROCESSES,
        IN_A_BROWSER,
      ),
    'on PostgreSQL': (...args) => onPostgres(...args, ON_POSTGRES_TOO),
    'in a browser': (...args) => jest(...args, IN_A_BROWSER),
    'with processes': (...args) => jest(...args, WITH_PROCESSES),
    'with many processes': (...args) => jest('--runInBand', ...args, WITH_MANY_PROCESSES),
  };
  let failed = 0;
  const complaints = [];
  for (const [index, [name, run]] of Object.entries(PARTS).entries()) {
    const report = join(reports, `${index}.json`);
    const status = run('--json', `--outputFile=${report}`);
    if (status === 0) continue;
    failed ||= status;
    complaints.push(...listFailures(report).map((failure) => `  ${name}: ${failure}`));
  }
  rmSync(reports, { recursive: true });
  if (failed) console.error(['\nFailed:', ...complaints].join('\n'));
  return failed;
}

/** Returns what jest says of the tests that failed, and of the files that could not be run. */
function listFailures(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    return ['jest ended before it could report.'];
  }
  return results
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      const titles = tests.length > 0 ? tests.map(({ fullName }) => fullName) : ['could not be run'];
      return titles.map((title) => `${relative(ROOT, name)}: ${title}`);
    });
}

function onPostgres(...args) {
  process.env.TEST_STORAGE = 'postgres';
  const failed = jest(...SHARED_POSTGRES, ...args);
  delete process.env.TEST_STORAGE;
  return failed;
}

function jest(...args) {
  const exit = new URL('./exit.mjs', import.meta.url).href;
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', exit];
  const command = [...options, 'node_modules/jest/bin/jest.js', ...args];
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
}
