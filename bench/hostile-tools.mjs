// What one run's sixty tool calls side by side do to another caller's stream, and what they take of memory. Not part of `npm run bench`:
//   npm run build && node bench/hostile-tools.mjs [path of another dist/main.js]
// Linux only: memory is read from /proc.
import { LLMock } from '@copilotkit/aimock';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = resolve(process.argv[2] ?? new URL('../dist/main.js', import.meta.url).pathname);
const SECONDS = 8;
const WORDS_MS = 20;
const [HOSTILE, OTHER] = ['key-of-hostile-0123456789', 'key-of-another-0123456789'];

const ATTACKS = {
  nothing: undefined,
  calculator: { expression: 'combinations(1e9, 5e8)' },
  data_lookup: {
    sql: 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n ORDER BY -x',
  },
};

const mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 4 });
await mock.start();

for (const [name, args] of Object.entries(ATTACKS)) {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  const server = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATA_DIR: directory,
      LOG_LEVEL: 'info',
      MODEL: 'openai:any',
      MODEL_BASE_URL: `${mock.url}/v1`,
      MODEL_API_KEY: 'sk-any',
      AUTH_API_KEYS: `${HOSTILE}:hostile@a,${OTHER}:other@b`,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await listening(server);
  mock.reset();
  mock.on(
    { userMessage: /speak/ },
    { content: 'word '.repeat((SECONDS * 1000) / WORDS_MS) },
    { latency: WORDS_MS },
  );
  const calls = Array.from({ length: 60 }, (_, at) => ({
    id: `call_${at}`,
    name: args ? name : 'clock',
    arguments: JSON.stringify(args ?? {}),
  }));
  mock.on({ userMessage: /attack/, hasToolResult: false }, { toolCalls: calls });
  mock.on({ userMessage: /attack/, hasToolResult: true }, { content: 'Done.' });

  const before = await memory(server.pid);
  const memories = [];
  const sampling = setInterval(async () => memories.push(await memory(server.pid)), 100);
  const attack = args && ask(url, HOSTILE, 'attack', () => {});
  const gaps = [];
  let last = performance.now();
  await ask(url, OTHER, 'speak', () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  });
  clearInterval(sampling);
  gaps.sort((a, b) => a - b);
  const most = memories.reduce((a, b) => ({
    bytes: Math.max(a.bytes, b.bytes),
    processes: Math.max(a.processes, b.processes),
  }));
  console.log(
    `${name.padEnd(12)} gap between words: p50 ${at(gaps, 0.5)} ms, p99 ${at(gaps, 0.99)} ms, longest ${at(gaps, 1)} ms; ` +
      `memory +${Math.round((most.bytes - before.bytes) / 1024 ** 2)} MiB, processes beside the server: at most ${most.processes - 1}`,
  );
  server.kill('SIGKILL');
  await attack?.catch(() => undefined);
  await rm(directory, { recursive: true, force: true });
}
await mock.stop();

function at(sorted, share) {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
}

async function listening(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const { url } = JSON.parse(line);
    if (url?.startsWith('http')) {
      server.stdout.resume();
      return url;
    }
  }
  throw new Error('The server ended before it listened.');
}

/** Calls back for each piece of the stream that has words in it. */
async function ask(url, key, message, heard) {
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({ message }),
  });
  const decoder = new TextDecoder();
  for await (const piece of response.body) if (decoder.decode(piece).includes('text-delta')) heard();
}

/** Of a process and its children. */
async function memory(pid) {
  let [bytes, processes] = [0, 0];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(name) !== pid && Number(fields[1]) !== pid) continue;
    processes += 1;
    bytes += Number(fields[21]) * 4096;
  }
  return { bytes, processes };
}
