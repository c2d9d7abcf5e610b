import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { existsSync } from 'node:fs';

const BUILD = new URL('../../dist/main.js', import.meta.url);
const REGISTER = new URL('./register.mjs', import.meta.url).href;

/**
 * Starts a program of the harness as a process of its own, with the product as it ships.
 *
 * @throws Error if there is no build
 */
export function startProgram(
  program: URL,
  argument: string,
  { execArgv = [], ...options }: ForkOptions = {},
): ChildProcess {
  if (!existsSync(BUILD)) throw new Error('There is no build. Run `npm run build` first, or `npm test`.');
  return fork(program, [argument], { ...options, execArgv: ['--import', REGISTER, ...execArgv] });
}
