// Servers as child processes.
//
//   const server = await startServer({ name, entry, args?, env?, execArgv? })
//       runs `node entry` until it says its port: a line with `PORT <n>` on standard output, or our own log line with its url
//   server.url, server.pid
//   await server.usage({ collect? })    { cpuMs, rss, heapUsed } of the whole process, all threads, from the operating system
//   server.tell(message)                to its `process.on('message')`
//   await server.stop()                 SIGKILLs its process group; harmless when it is gone
//   server.output                       the last of what it wrote, for error messages
//
//   await withDirectory(async (directory) => …)   a temporary directory, removed afterwards
//
// Whatever happens to the benchmark, its servers end with it: on a failure, a signal or an exit their groups are killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url));
const START_MS = 120_000;
const KEPT_OUTPUT = 16 * 1024;
const SAYS_PORT = /(?:^|\n)PORT (\d+)|"url":"http:\/\/127\.0\.0\.1:(\d+)"/;
const SETTINGS_TO_HIDE = /^(LANGCHAIN|LANGSMITH|LANGGRAPH|NODE_OPTIONS|npm_)/i;

const running = new Set();
process.once('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

export async function startServer({ name, entry, args = [], env = {}, execArgv = [] }) {
  const child = spawn(process.execPath, ['--import', PROBE, ...execArgv, entry, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...ownEnvironment(), NODE_ENV: 'production', ...env },
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const server = { name, pid: child.pid, output: '', url: '', usage, tell, stop };
  let probes = 0;
  const port = await readPort();
  server.url = `http://127.0.0.1:${port}`;
  return server;

  function readPort() {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`The server '${name}' ${why}:\n${server.output}`));
      const timer = setTimeout(() => fail('did not say its port in time'), START_MS);
      exited.then(
        () => fail('ended'),
        (error) => fail(String(error)),
      );
      const hear = (text) => {
        server.output = (server.output + text).slice(-KEPT_OUTPUT);
        const [, ownPort, loggedPort] = SAYS_PORT.exec(server.output) ?? [];
        if (ownPort === undefined && loggedPort === undefined) return;
        clearTimeout(timer);
        // From now on it is only taken away, as a log collector does.
        child.stdout.off('data', hear).resume();
        resolve(Number(ownPort ?? loggedPort));
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', (text) => {
        server.output = (server.output + text).slice(-KEPT_OUTPUT);
      });
    });
  }

  function usage({ collect = false } = {}) {
    const probe = (probes += 1);
    return new Promise((resolve, reject) => {
      const answer = (message) => {
        if (message?.probe !== probe) return;
        child.off('message', answer);
        resolve(message);
      };
      child.on('message', answer);
      child.send({ probe, collect }, (error) => {
        if (error) reject(new Error(`The server '${name}' is gone:\n${server.output}`, { cause: error }));
      });
    });
  }

  function tell(message) {
    child.send(message);
  }

  async function stop() {
    kill(child);
    await exited.catch(() => undefined);
  }
}

export async function withDirectory(work) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function killAll() {
  for (const child of running) kill(child);
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Nothing of this shell's settings changes what a server does: no tracing, no keys, no debugger. */
function ownEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS_TO_HIDE.test(name)));
}
