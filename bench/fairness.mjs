// How long another caller waits for a first event while one caller has 60 slow runs. Not a part of `npm run bench`:
//   npm run build && node bench/fairness.mjs
// MAX_RUNS_PER_USER=50 measures it without a share for others, which is how it was before there were turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const SLOW_RUNS = 60;
const QUESTIONS = 40;
const PATIENCE_MS = 5_000;
const KEYS = { greedy: 'greedy-0123456789abcdef', other: 'other-0123456789abcdef' };

const directory = mkdtempSync(join(tmpdir(), 'fairness-'));
const server = spawn(process.execPath, [MAIN], {
  env: {
    ...process.env,
    PORT: '0',
    DATA_DIR: directory,
    AUTH_API_KEYS: `${KEYS.greedy}:greedy@acme,${KEYS.other}:other@globex`,
    STARTS_PER_MINUTE: '1000',
    MAX_OPEN_STREAMS: '1000',
    // A word in ten seconds: the runs of the greedy caller last longer than the measurement.
    DEMO_PACE_MS: '10000',
    LOG_LEVEL: 'info',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});

try {
  const origin = await new Promise((resolve, reject) => {
    let said = '';
    server.once('exit', () => reject(new Error(`The server has ended: ${said}`)));
    server.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found) resolve(found[0]);
    });
  });
  const post = (path, key, signal) =>
    fetch(`${origin}/api/chat${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ message: 'Tell me about Austria.' }),
      signal,
    });
  for (let index = 0; index < SLOW_RUNS; index += 1) await (await post('/runs', KEYS.greedy)).arrayBuffer();

  const times = [];
  let unanswered = 0;
  for (let index = 0; index < QUESTIONS && unanswered < 5; index += 1) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
    const start = performance.now();
    try {
      const reader = (await post('', KEYS.other, abort.signal)).body.getReader();
      const decoder = new TextDecoder();
      for (let text = ''; !text.includes('run-start');) text += decoder.decode((await reader.read()).value);
      times.push(performance.now() - start);
      const [{ runId }] = (await runs(origin)).slice(0, 1);
      await fetch(`${origin}/api/chat/runs/${runId}/cancel`, {
        method: 'POST',
        headers: { 'x-api-key': KEYS.other },
      });
      await reader.cancel();
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      unanswered += 1;
    } finally {
      clearTimeout(timer);
    }
  }
  times.sort((a, b) => a - b);
  const quantile = (share) => times[Math.floor(times.length * share)]?.toFixed(1) ?? 'none';
  console.log(
    `first event of another caller: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms; ` +
      `without one in ${PATIENCE_MS / 1000} s: ${unanswered} of ${times.length + unanswered}`,
  );
} finally {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}

/** The other caller's runs that go on. */
async function runs(origin) {
  const headers = { 'x-api-key': KEYS.other };
  const { items } = await (await fetch(`${origin}/api/chat/threads?limit=1`, { headers })).json();
  return items.map(({ activeRunId }) => ({ runId: activeRunId }));
}
