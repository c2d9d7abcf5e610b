// Our side of every benchmark: the product as it is started in production.
//
//   DIST                                     its build: BENCH_DIST, or ../../dist; import parts of it with `await load('runs/run.feed.js')`
//   const server = await startProduct({ directory, env?, execArgv?, build? })
//       `main.js` of `build`, DIST unless told otherwise, with SQLite in `directory`, the scripted agent, every other setting at its default but the limits that
//       would refuse the load of a benchmark; a server as server.process.mjs has it
//   askProduct(url, { tokens, paceMs, threadId? })    the request for load.mjs that starts a run and streams it
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toPrompt } from './scripted.model.mjs';
import { startServer } from './server.process.mjs';

export const DIST = resolve(process.env.BENCH_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url)));
const AGENT = fileURLToPath(new URL('./agent.mjs', import.meta.url));

export function load(path) {
  return import(pathToFileURL(resolve(DIST, path)).href);
}

export function startProduct({ directory, env = {}, execArgv = [], build = DIST }) {
  return startServer({
    name: 'nestjs-agent-stream',
    entry: resolve(build, 'main.js'),
    execArgv,
    env: {
      PORT: '0',
      DATA_DIR: directory,
      AGENTS: `bench=${AGENT}#graph`,
      STARTS_PER_MINUTE: '100000',
      MAX_OPEN_STREAMS: '100000',
      MAX_CONCURRENT_RUNS: '1000',
      ...env,
    },
  });
}

export function askProduct(url, { threadId, ...script }) {
  return {
    url: `${url}/api/chat`,
    body: { message: toPrompt(script), agent: 'bench', ...(threadId && { threadId }) },
  };
}
