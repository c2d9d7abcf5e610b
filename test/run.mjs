import { spawnSync } from 'node:child_process';

// npm test: everything. Files that bring processes of their own (servers that are killed, a database, a browser) go one at
// a time after the others, so that they have the machine to themselves. npm test -- <arguments>: jest, with these arguments.
const WITH_PROCESSES = 'test/(cluster|kill-loop|page|reliability)/';

const asked = process.argv.slice(2);
if (asked.length > 0) process.exit(jest(...asked));

const failed = jest('--testPathIgnorePatterns', '/node_modules/', WITH_PROCESSES);
process.exit(failed || jest('--runInBand', WITH_PROCESSES));

function jest(...args) {
  const exit = new URL('./exit.mjs', import.meta.url).href;
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', exit];
  const command = [...options, 'node_modules/jest/bin/jest.js', ...args];
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1;
}
