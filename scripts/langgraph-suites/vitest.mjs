import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Runs tests with the vitest of their package, and returns its report. */
export async function runVitest(suite, { directory, pattern, args, env = process.env }) {
  const output = join(directory, 'report.json');
  const manifest = createRequire(join(suite, 'package.json')).resolve('vitest/package.json');
  const vitest = join(dirname(manifest), 'vitest.mjs');
  const only = pattern === undefined ? [] : ['-t', pattern];
  const run = [vitest, 'run', ...args, '--reporter=json', `--outputFile=${output}`, ...only];
  const status = await new Promise((done) => {
    spawn(process.execPath, run, { cwd: suite, env, stdio: 'inherit' }).once('close', done);
  });
  if (!existsSync(output)) throw new Error(`vitest ended with ${status} and without a report.`);
  return JSON.parse(readFileSync(output, 'utf8'));
}
