// `npm run bench` runs every benchmark, `npm run bench -- cpu resume` those; each is a process of its own and writes its section of
// README.md. Those of ON_REQUEST run only when they are named. Installs what our peers need when it is not there. One that fails does
// not keep the others from running.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BENCHMARKS = [
  'cpu',
  'latency',
  'fanout',
  'idle',
  'resume',
  'storage',
  'bytes',
  'growth',
  'inspector',
  'page',
];
const ON_REQUEST = ['builds', 'telemetry', 'run-lists'];
const FOLDER = fileURLToPath(new URL('.', import.meta.url));

let child;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    child?.kill(signal);
    process.exit(1);
  });
}

const names = process.argv.slice(2);
const known = [...BENCHMARKS, ...ON_REQUEST];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0)
  throw new Error(`There is no benchmark '${unknown.join("', '")}': ${known.join(', ')}.`);

if (!existsSync(`${FOLDER}node_modules`) && !(await succeeds('npm', ['ci', '--ignore-scripts']))) {
  throw new Error('The peers could not be installed: `npm ci --prefix bench`.');
}
const failed = [];
for (const name of names.length > 0 ? names : BENCHMARKS) {
  const startedAt = performance.now();
  if (!(await succeeds(process.execPath, [`${FOLDER}${name}.mjs`]))) failed.push(name);
  process.stdout.write(`\n(${name}: ${Math.round((performance.now() - startedAt) / 1000)} s)\n`);
}
if (failed.length > 0) {
  process.stderr.write(`\nFailed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}

async function succeeds(command, args) {
  const { promise, resolve } = Promise.withResolvers();
  child = spawn(command, args, { cwd: FOLDER, stdio: 'inherit' });
  child.once('error', () => resolve(false)).once('exit', (code) => resolve(code === 0));
  return promise;
}
