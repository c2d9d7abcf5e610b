import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

// npm run test:nest11: puts Nest 11 into a copy of the repository and runs there what is promised of both majors: the short list,
// which CI runs, or with --long all of it. With --node22 it runs on Node 22. Other arguments are spec files in place of a list.

const ROOT = fileURLToPath(new URL('../', import.meta.url));

const NEST_11 = {
  common: '11.2.10',
  core: '11.2.10',
  'platform-express': '11.2.10',
  'platform-fastify': '11.2.8',
  swagger: '11.4.7',
  testing: '11.2.6',
};

const SHORT = [
  'test/(api|approvals|limits|resume|sse-traps|streams)\\.spec',
  'test/embedding/(bad-use|existing-app|frameworks|health|streaming-routes|versions)\\.spec',
  'test/openapi/valid\\.spec',
  'test/protocols/(frameworks|left|streams)\\.spec',
  'src/auth/(auth\\.guard|session\\.controller)\\.spec',
  'src/http/',
  'src/throttling/throttling-guards',
];

const LONG = [
  'test/(agents|api|approvals|bad-input|limits|models|resume|sse-traps|streams)\\.spec',
  'test/(embedding|openapi|protocols)/',
  'test/security/(budget|forging|sessions|strangers|tenancy)\\.spec',
  'src/(app|auth|http|security|switches|throttling|tools)/',
];

/** Of the standalone app, which stays on Nest 12, and of the names that its Swagger module gives to schemas. */
const OF_NEST_12 = ['src/app/(app-edge|lifecycle)', 'test/openapi/openapi', 'test/embedding/packed'];

const NODE_22 = `node-${process.platform}-${process.arch}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean' }, node22: { type: 'boolean' } },
});
const list = values.long ? LONG : SHORT;
const specs = positionals.length > 0 ? positionals : list;
const copy = mkdtempSync(join(tmpdir(), 'nest11-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));

const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
});
for (const file of files.split('\0').filter(Boolean))
  cpSync(join(ROOT, file), join(copy, file), { recursive: true });
// Links in place of copies: npm replaces a file that it changes.
execFileSync('cp', ['-al', join(ROOT, 'node_modules'), join(copy, 'node_modules')]);

const set = Object.entries(NEST_11).map(([name, version]) => `@nestjs/${name}@${version}`);
if (values.node22) set.push(`${NODE_22}@22.23.3`);
// The libraries that tests use name Nest 12 as their peer, and so does the standalone app.
const options = ['--no-save', '--ignore-scripts', '--legacy-peer-deps'];
execFileSync('npm', ['install', ...options, ...set], { cwd: copy, stdio: 'inherit' });
const { version } = JSON.parse(readFileSync(join(copy, 'node_modules/@nestjs/core/package.json'), 'utf8'));
if (version !== NEST_11.core) throw new Error(`This is Nest ${version}, not ${NEST_11.core}.`);

const ignored = OF_NEST_12.flatMap((path) => ['--testPathIgnorePatterns', path]);
const node = values.node22 ? join(copy, 'node_modules', NODE_22, 'bin/node') : process.execPath;
const { status } = spawnSync(node, ['test/run.mjs', ...ignored, '--maxWorkers=2', '--', ...specs], {
  cwd: copy,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
