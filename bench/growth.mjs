// `npm run bench -- growth`: what a run costs in a store that holds many, and a turn in a thread that has many.
import { mkdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { measure } from './support/measure.mjs';
import { startLoad } from './support/load.mjs';
import { askProduct, load, startProduct } from './support/product.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median } from './support/statistics.mjs';
import { fill } from './store/filling.mjs';

const ROUNDS = 5;
const STORES = [10, 1_000, 100_000];
/** Events of a stored run, and of a measured one. */
const EVENTS = 10;
const SCRIPT = { tokens: 20, paceMs: 0 };
const RUNS_PER_ROUND = 40;
const LISTS_PER_ROUND = 20;

/** The turns around which a turn is measured: those that end there. */
const TURNS = [10, 100, 500];
const WINDOW = 10;

const CHECKPOINT_TABLES = {
  checkpoints: 'length(checkpoint) + length(metadata)',
  checkpoint_values: 'length(value)',
  checkpoint_writes: 'length(value)',
};

await withDirectory(async (directory) => {
  const generator = await startLoad();
  const stores = await inLargeStores(generator, directory);
  const turns = await inLongThread(generator, `${directory}/thread`);
  generator.stop();
  publish(stores, turns);
});

async function inLargeStores(generator, directory) {
  const { SqliteStorage } = await load('storage/sqlite/sqlite.storage.js');
  const servers = [];
  for (const runs of STORES) {
    const own = `${directory}/${runs}`;
    const storage = new SqliteStorage({ directory: own });
    await storage.open();
    await fill(storage, { runs, events: EVENTS });
    await storage.close();
    const startedAt = performance.now();
    const server = await startProduct({ directory: own });
    servers.push({ ...server, runs, startMs: performance.now() - startedAt });
  }
  for (const server of servers) await someRuns(generator, server);
  const samples = await interleaved({
    variants: servers,
    rounds: ROUNDS,
    measure: async (server) => ({ ...(await someRuns(generator, server)), listMs: await listing(server) }),
  });
  for (const server of servers) await server.stop();
  return servers.map((server) => {
    const middle = (key) => median(samples.get(server).map((sample) => sample[key]));
    const { runs, startMs } = server;
    return { runs, startMs, cpuMs: middle('cpuMs'), runMs: middle('runMs'), listMs: middle('listMs') };
  });
}

/** One after the other, each in a new thread. */
async function someRuns(generator, server) {
  const ask = () => askProduct(server.url, SCRIPT);
  return perRun(
    await measure(generator, { ...server, ask }, { runs: 1, script: SCRIPT, repeats: RUNS_PER_ROUND }),
  );
}

function perRun({ cpuPerToken, answers }) {
  return {
    cpuMs: (cpuPerToken * SCRIPT.tokens) / 1_000,
    runMs: median(answers.map(({ startedAt, endedAt }) => (endedAt - startedAt) / 1_000)),
  };
}

/** The first page of a person's threads. */
async function listing(server) {
  const times = [];
  for (let index = 0; index < LISTS_PER_ROUND; index += 1) {
    const startedAt = performance.now();
    const response = await fetch(`${server.url}/api/chat/threads?limit=20`);
    await response.text();
    if (response.status !== 200) throw new Error(`The threads were not listed: ${response.status}`);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function inLongThread(generator, directory) {
  await mkdir(directory);
  const server = await startProduct({ directory });
  await someRuns(generator, server);
  const threadId = await firstTurn(server);
  const ask = () => askProduct(server.url, { ...SCRIPT, threadId });
  const rows = [];
  let turns = 1;
  const take = async (repeats) => {
    turns += repeats;
    return perRun(await measure(generator, { ...server, ask }, { runs: 1, script: SCRIPT, repeats }));
  };
  for (const turn of TURNS) {
    if (turn - WINDOW > turns) await take(turn - WINDOW - turns);
    const cost = await take(WINDOW);
    rows.push({ turn, ...cost, bytes: checkpointBytes(directory, threadId) });
  }
  await server.stop();
  return rows;
}

/** Of a new thread, whose id comes back. */
async function firstTurn({ url }) {
  const { body } = askProduct(url, SCRIPT);
  const headers = { 'content-type': 'application/json' };
  const started = await fetch(`${url}/api/chat/runs`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const { runId, threadId } = await started.json();
  await (await fetch(`${url}/api/chat/runs/${runId}/events`)).text();
  return threadId;
}

/** Returns the bytes of a thread's checkpoints. */
function checkpointBytes(directory, threadId) {
  const db = new DatabaseSync(`${directory}/agent-stream.db`, { readOnly: true });
  const held = Object.entries(CHECKPOINT_TABLES).map(([table, bytes]) =>
    Number(db.prepare(`SELECT sum(${bytes}) AS bytes FROM ${table} WHERE thread_id = ?`).get(threadId).bytes),
  );
  db.close();
  return held.reduce((sum, bytes) => sum + bytes, 0);
}

function publish(stores, turns) {
  const [smallest] = stores;
  const [shortest] = turns;
  const longest = turns.at(-1);
  const slope = ((longest.cpuMs - shortest.cpuMs) * 1_000) / (longest.turn - shortest.turn);
  report('growth', {
    title: 'Growth: runs in a large store, turns in a long thread',
    intro:
      `Runs of ${SCRIPT.tokens} tokens without a delay, one after the other, on SQLite. Stores: medians of ${ROUNDS} interleaved rounds ` +
      `of ${RUNS_PER_ROUND} runs, each in a new thread. Threads: means of the ${WINDOW} turns that end with the given one.`,
    tables: [
      {
        caption: 'Runs in the store',
        columns: ['', 'start ms', 'CPU ms per run', 'to the first', 'ms per run', 'ms per list of threads'],
        rows: stores.map(({ runs, startMs, cpuMs, runMs, listMs }) => [
          number(runs),
          number(startMs),
          number(cpuMs, 2),
          ratio(cpuMs, smallest.cpuMs),
          number(runMs, 1),
          number(listMs, 1),
        ]),
      },
      {
        caption: 'Turns in the thread',
        columns: ['', 'CPU ms per turn', 'to the first', 'ms per turn', 'checkpoint KiB', 'per turn'],
        rows: turns.map(({ turn, cpuMs, runMs, bytes }) => [
          number(turn),
          number(cpuMs, 2),
          ratio(cpuMs, shortest.cpuMs),
          number(runMs, 1),
          number(bytes / 1024),
          number(bytes / 1024 / turn, 2),
        ]),
      },
    ],
    notes: [
      'The cost of a run does not depend on the size of the store, because all of its statements find their rows by an index.',
      'The size of checkpoints per turn does not grow with the number of turns: LangGraph stores whole states, of which only the ' +
        'newest two remain.',
      `Each earlier turn adds ${number(slope, 0)} µs of CPU to a turn: the whole conversation is read, passed to the model and stored ` +
        'again. Most of this is the conversion between JSON and messages in LangChain. Only an agent that trims or summarises the ' +
        'conversation avoids this cost.',
    ],
  });
}
