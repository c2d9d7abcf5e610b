// `node bench/hostile-reads.mjs` (after `npm run build`): what 60 readers of one caller do to another one. Not a part of `npm run bench`.
//
// One caller has a thread of 100 questions of 250 KiB, and a run with a log of 15 MiB. Sixty requests of theirs at a time, again and again
// for some seconds, while another caller asks short questions one after the other. The server has a heap of 1 GiB.
//
//   BENCH_DIST=<build> BENCH_README=<file>   as in the other benchmarks; READS=thread,events,… for some of the plans
import { request } from 'node:http';
import { load, startProduct } from './support/product.mjs';
import { number, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { percentile } from './support/statistics.mjs';

const READERS = 60;
const SECONDS = 8;
const MIB = 1024 * 1024;
const KEYS = { mallory: 'mallory-key-0123456789abcdef', alice: 'alice-key-0123456789abcdef' };
const PLANS = {
  nothing: () => [],
  thread: ({ threadId }) => [{ path: `/api/chat/threads/${threadId}?limit=100` }],
  'thread of the long run': ({ longThreadId }) => [{ path: `/api/chat/threads/${longThreadId}` }],
  events: ({ longRunId }) => [{ path: `/api/chat/runs/${longRunId}/events` }],
  'AI SDK messages': ({ longThreadId }) => [{ path: `/protocols/ai-sdk/chat/${longThreadId}/messages` }],
  'AI SDK replay': ({ longThreadId }) => [{ path: `/protocols/ai-sdk/chat/${longThreadId}/stream?after=` }],
  'OpenAI retrieve': ({ longRunId }) => [{ path: `/protocols/openai/v1/responses/resp_${longRunId}` }],
  'A2A GetTask': ({ longRunId }) => [
    {
      path: '/protocols/a2a',
      body: { jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: longRunId } },
      headers: { 'a2a-version': '1.0' },
    },
  ],
  'AG-UI connect': ({ threadId }) => [
    {
      path: '/protocols/ag-ui/connect',
      body: { threadId, runId: 'r', messages: [], tools: [], context: [], state: {}, forwardedProps: {} },
    },
  ],
  'LangGraph history': ({ threadId }) => [
    { path: `/protocols/langgraph/threads/${threadId}/history`, body: { limit: 100 } },
  ],
};

const results = [];
const names = process.env.READS?.split(',') ?? Object.keys(PLANS);
for (const name of names)
  results.push({ name, ...(await withDirectory((directory) => attack(name, directory))) });
publish();

async function attack(name, directory) {
  const world = await fill(directory);
  const server = await startProduct({
    directory,
    execArgv: ['--max-old-space-size=1024'],
    env: {
      AUTH_API_KEYS: Object.entries(KEYS)
        .map(([user, key]) => `${key}:${user}@acme`)
        .join(','),
      MAX_OPEN_STREAMS: '20',
    },
  });
  const [hostile] = PLANS[name](world);
  const statuses = new Map();
  const ends = performance.now() + SECONDS * 1_000;
  let peak = 0;
  const watching = setInterval(async () => {
    const { rss } = await server.usage().catch(() => ({ rss: 0 }));
    peak = Math.max(peak, rss);
  }, 100);
  const attackers = hostile
    ? Array.from({ length: READERS }, async () => {
        while (performance.now() < ends) {
          const { status } = await ask(server.url, KEYS.mallory, hostile);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
        }
      })
    : [];
  const first = [];
  const whole = [];
  let lost = 0;
  while (performance.now() < ends) {
    const body = { message: 'tokens=20 pace=5', agent: 'bench' };
    const { status, firstMs, ms } = await ask(server.url, KEYS.alice, { path: '/api/chat', body });
    if (status === 200) {
      first.push(firstMs);
      whole.push(ms);
    } else {
      lost += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await Promise.all(attackers);
  clearInterval(watching);
  const live = await ask(server.url, KEYS.alice, { path: '/health/ready' });
  await server.stop();
  return { statuses, first, whole, lost, peak, ready: live.status };
}

/** The threads and runs that the attacker made before the measurement. */
async function fill(directory) {
  const { SqliteStorage } = await load('storage/sqlite/sqlite.storage.js');
  const storage = new SqliteStorage({ directory });
  await storage.open();
  const principal = { userId: 'mallory', tenant: 'acme', roles: [] };
  const say = async ({ id, threadId, message, deltas }) => {
    const owner = { ownerId: 'filling', leaseMs: 60_000 };
    const base = { agent: 'bench', principal, metadata: {}, messageId: `m-${id}` };
    const rules = { whenBusy: 'reject', whenAwaiting: 'deny', thread: 'any', owner };
    const { run } = await storage.runs.create({ id, threadId, message, ...base, ...rules });
    const at = Date.now();
    const step = { stepId: 's', name: 'model', attempt: 1 };
    const end = {
      type: 'end',
      outcome: 'completed',
      usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
      durationMs: 1,
    };
    const events = [
      { type: 'run-start', agent: 'bench', messageId: base.messageId },
      { type: 'step-start', ...step },
      { type: 'text-start', partId: 'p', messageId: base.messageId, stepId: 's' },
      ...Array.from({ length: deltas }, () => ({
        type: 'text-delta',
        partId: 'p',
        delta: 'word '.repeat(800),
      })),
      { type: 'text-end', partId: 'p' },
      { type: 'step-end', ...step },
      end,
    ].map((event, index) => ({ runId: id, threadId, seq: index + 1, epoch: run.epoch, at, event }));
    for (let from = 0; from < events.length; from += 60) {
      const batch = events.slice(from, from + 60);
      const ending = batch.at(-1).event.type === 'end' && {
        ending: { outcome: 'completed', usage: end.usage },
      };
      await storage.log.append([{ runId: id, epoch: run.epoch, afterSeq: from, events: batch, ...ending }]);
    }
  };
  const message = 'question '.repeat(28_400);
  for (let index = 0; index < 100; index += 1)
    await say({ id: `q${index}`, threadId: 'questions', message, deltas: 1 });
  await say({ id: 'long', threadId: 'long-thread', message: 'Hi', deltas: Math.ceil((15 * MIB) / 4_000) });
  await storage.close();
  return { threadId: 'questions', longThreadId: 'long-thread', longRunId: 'long' };
}

function ask(url, key, { path, body, headers = {} }) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const gone = () => resolve({ status: 0, ms: performance.now() - startedAt });
    const call = request(
      `${url}${path}`,
      {
        method: body ? 'POST' : 'GET',
        headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        const firstMs = performance.now() - startedAt;
        response
          .resume()
          .on('end', () =>
            resolve({ status: response.statusCode, firstMs, ms: performance.now() - startedAt }),
          );
        response.on('error', gone);
      },
    );
    call.on('error', gone);
    call.setTimeout(60_000, () => call.destroy());
    call.end(body && JSON.stringify(body));
  });
}

function publish() {
  report('hostile-reads', {
    title: 'Sixty readers of one caller beside another caller',
    intro:
      'One caller reads a thread of 100 questions of 250 KiB, or a run with a log of 15 MiB, 60 requests at a time for 8 s. Another asks ' +
      'short questions, one after the other, each answered with 20 tokens at 5 ms. Heap of the server: 1 GiB.',
    tables: [
      {
        columns: [
          '60 at a time',
          'first event p50, ms',
          'p99',
          'whole run p50, ms',
          'p99',
          'failed',
          'peak RSS, MiB',
          'answers',
          'after',
        ],
        rows: results.map(({ name, first, whole, lost, peak, statuses, ready }) => [
          name,
          number(percentile(first, 0.5)),
          number(percentile(first, 0.99)),
          number(percentile(whole, 0.5)),
          number(percentile(whole, 0.99)),
          `${lost} of ${lost + whole.length}`,
          number(peak / MIB),
          [...statuses].map(([status, count]) => `${count} × ${status || 'none'}`).join(', ') || '—',
          ready === 200 ? 'ready' : ready || 'dead',
        ]),
      },
    ],
  });
}
