// `npm run attack` builds the app and attacks it over loopback, as a stranger and as somebody with credentials; `npm run attack --
// gzip pipelining` only in those ways. Each attack meets a server of its own and is bounded in connections and in time. What it
// may cost is written beside it; it fails when it costs more, or when others are not served meanwhile.
//
// ATTACK_DIST: another build to attack, for a comparison. ATTACK_CONNECTIONS: how many at a time, default 1,000.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer, withDirectory } from '../../../bench/support/server.process.mjs';
import { ATTACKS, KEYS } from './attacks.mjs';

const DIST = resolve(process.env.ATTACK_DIST ?? fileURLToPath(new URL('../../../dist', import.meta.url)));
const CONNECTIONS = Number(process.env.ATTACK_CONNECTIONS ?? 1_000);
const MIB = 1024 ** 2;
const SAMPLE_MS = 50;

/** A matter of the machine as well: with other work on it, everybody waits. */
const PATIENCE_MS = 10_000;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(ATTACKS, name));
if (unknown.length > 0)
  throw new Error(`There is no attack '${unknown.join("', '")}': ${Object.keys(ATTACKS).join(', ')}.`);

const failed = [];
for (const name of names.length > 0 ? names : Object.keys(ATTACKS)) {
  const result = await withDirectory((directory) => attack(name, directory));
  process.stdout.write(`${describe(name, result)}\n`);
  if (result.faults.length > 0) failed.push(name);
}
if (failed.length > 0) {
  process.stderr.write(`\nFailed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}

async function attack(name, directory) {
  const { run, maxMiB = 64, maxCpuMs = 5_000, env = {} } = ATTACKS[name];
  const server = await startServer({
    name: 'nestjs-agent-stream',
    entry: resolve(DIST, 'main.js'),
    env: { PORT: '0', DATA_DIR: directory, ...KEYS.settings, ...env },
  });
  try {
    await warmUp(server.url);
    const before = await server.usage({ collect: true });
    const watch = watchOver(server);
    const notes = await run({ url: server.url, port: Number(new URL(server.url).port), count: CONNECTIONS });
    const { peak, slowestMs } = await watch.stop();
    const after = await server.usage();
    const growth = (peak - before.rss) / MIB;
    const faults = [
      ...(growth > maxMiB ? [`RSS grew by more than ${maxMiB} MiB`] : []),
      ...(after.cpuMs - before.cpuMs > maxCpuMs ? [`it took more than ${maxCpuMs} ms of CPU`] : []),
      ...(slowestMs > PATIENCE_MS ? [`others waited for more than ${PATIENCE_MS} ms`] : []),
      ...(notes.faults ?? []),
    ];
    return { growth, slowestMs, cpuMs: after.cpuMs - before.cpuMs, outcome: notes.outcome, faults };
  } finally {
    await server.stop();
  }
}

async function warmUp(url) {
  for (let round = 0; round < 200; round++) {
    await (await fetch(`${url}/api/chat/threads`)).text();
    await (await fetch(`${url}/docs/swagger-ui.css`)).arrayBuffer();
    await (await fetch(`${url}/openapi.json`)).text();
  }
}

/** Samples the memory, and asks now and then as somebody who has nothing to do with it. */
function watchOver(server) {
  let peak = 0;
  let slowestMs = 0;
  const watching = new AbortController();
  const sampling = (async () => {
    while (!watching.signal.aborted) {
      const startedAt = performance.now();
      const [{ rss }, answered] = await Promise.all([server.usage(), isServed(server.url)]);
      peak = Math.max(peak, rss);
      slowestMs = Math.max(slowestMs, answered ? performance.now() - startedAt : Infinity);
      await new Promise((wake) => setTimeout(wake, SAMPLE_MS));
    }
  })();
  return {
    stop: async () => {
      watching.abort();
      await sampling;
      return { peak, slowestMs };
    },
  };
}

async function isServed(url) {
  try {
    const response = await fetch(`${url}/api/chat/agents`, {
      headers: { 'x-api-key': KEYS.other },
      signal: AbortSignal.timeout(20_000),
    });
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}

function describe(name, { growth, slowestMs, cpuMs, outcome, faults }) {
  const facts = [
    `RSS +${Math.max(0, growth).toFixed(0)} MiB`,
    `CPU ${Math.round(cpuMs)} ms`,
    `others waited at most ${Math.round(slowestMs)} ms`,
    outcome,
  ];
  return `${faults.length > 0 ? 'FAILED' : 'held  '} ${name.padEnd(16)} ${facts.join(', ')}${faults.map((fault) => `\n         ${fault}`).join('')}`;
}
