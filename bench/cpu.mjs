// `npm run bench -- cpu`: what a token costs and how many a second get through, ours beside our peers.
import { SERVERS, startServers } from './servers/servers.mjs';
import { startLoad } from './support/load.mjs';
import { measure, targetLine, wake } from './support/measure.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median } from './support/statistics.mjs';

const ROUNDS = 5;
const BURST = { tokens: 200, paceMs: 0 };
const PACED = { tokens: 100, paceMs: 20 };
// Repeated where one answer is too short to be measured.
const LOADS = {
  burst: [
    { runs: 1, script: BURST, repeats: 5 },
    { runs: 50, script: BURST, repeats: 3 },
    { runs: 200, script: BURST, repeats: 1 },
  ],
  paced: [
    { runs: 1, script: { ...PACED, tokens: 25 }, repeats: 1 },
    { runs: 50, script: PACED, repeats: 1 },
    { runs: 200, script: PACED, repeats: 1 },
  ],
};
/** Until the compilers are done with what a run goes through: a server in production has seen more. */
const WARM_UP = { runs: 50, script: BURST, repeats: 15 };

await withDirectory(async (directory) => {
  const load = await startLoad();
  const servers = await startServers(SERVERS, directory);
  for (const server of servers) await measure(load, server, WARM_UP);

  const results = { burst: [], paced: [] };
  for (const [kind, loads] of Object.entries(LOADS)) {
    for (const plan of loads) {
      const samples = await interleaved({
        variants: servers,
        rounds: ROUNDS,
        measure: async (server) => {
          await wake(load, server);
          return measure(load, server, plan);
        },
      });
      results[kind].push(summarize(servers, samples));
    }
  }
  for (const server of servers) await server.stop();
  load.stop();
  publish(servers, results);
});

/** By server's name. Against another server: the quotient of the two medians, which one disturbed round does not move. */
function summarize(servers, samples) {
  const rounds = new Map(servers.map((server) => [server.name, samples.get(server)]));
  const getMedian = (name, what) => median(rounds.get(name).map((round) => round[what]));
  return {
    cpu: (name) => getMedian(name, 'cpuPerToken'),
    withDatabase: (name) => getMedian(name, 'withDatabase'),
    speed: (name) => getMedian(name, 'tokensPerSecond'),
    against: (name, peer, what) => getMedian(name, what) / getMedian(peer, what),
    loadShare: Math.max(...[...rounds.values()].flat().map(({ loadShare }) => loadShare)),
  };
}

function publish(servers, { burst, paced }) {
  const share = Math.max(...[...burst, ...paced].map(({ loadShare }) => loadShare));
  report('cpu', {
    title: 'CPU per token, and tokens per second',
    intro:
      `Medians of ${ROUNDS} interleaved rounds of 1, 50 and 200 concurrent runs, after ${number(WARM_UP.runs * WARM_UP.repeats)} warm-up runs each. CPU covers the whole server process with its ` +
      'threads. × is the ratio to the floor. Tokens a second are those that the readers received.',
    tables: [
      { caption: 'No delay between tokens, 200 tokens a run', ...toTable(servers, burst) },
      {
        caption:
          'One token per 20 ms, so 200 runs emit 10,000 a second; 100 tokens a run, 25 for a single run',
        ...toTable(servers, paced),
      },
    ],
    notes: [
      ...cpuTargets(burst[1], '50 runs, no delay'),
      ...cpuTargets(burst[2], '200 runs, no delay'),
      ...cpuTargets(paced[1], '50 runs, 20 ms'),
      ...cpuTargets(paced[2], '200 runs, 20 ms'),
      ...[
        { load: burst[1], what: '50 runs, no delay' },
        { load: burst[2], what: '200 runs, no delay' },
        { load: paced[1], what: '50 runs, 20 ms' },
        { load: paced[2], what: '200 runs, 20 ms' },
      ].map(({ load, what }) => postgresLine(load, what)),
      ...[
        { peer: 'floor', called: 'the floor', atLeast: 0.9 },
        { peer: 'langgraph-dev', called: 'the dev server', atLeast: 4 },
      ].map(({ peer, called, atLeast }) =>
        targetLine(
          `tokens/s, 200 paced runs, against ${called}`,
          paced[2].against('ours', peer, 'tokensPerSecond'),
          '×',
          { atLeast },
        ),
      ),
      `The load generator used at most ${number(share * 100)} % of a core.`,
    ],
  });
}

function toTable(servers, loads) {
  return {
    columns: ['CPU µs/token', '1 run', '', '50 runs', '', '200 runs', '', 'tokens/s: 1', '50', '200'],
    rows: servers.map(({ name, label }) => [
      label,
      ...loads.flatMap((load) => [
        number(load.cpu(name), 1),
        ratio(load.against(name, 'floor', 'cpuPerToken'), 1),
      ]),
      ...loads.map((load) => number(load.speed(name))),
    ]),
  };
}

function postgresLine(load, what) {
  const against = (key) => load.against('ours-postgres', 'floor', key);
  const own = number(load.cpu('ours-postgres'), 1);
  const all = number(load.withDatabase('ours-postgres'), 1);
  return (
    `On PostgreSQL, ${what}: ${own} µs a token (${number(against('cpuPerToken'), 2)} × the floor), ` +
    `with the database's own CPU ${all} µs (${number(against('withDatabase'), 2)} ×).`
  );
}

function cpuTargets(load, what) {
  return [
    { peer: 'floor', called: 'the floor', atMost: 1.3 },
    { peer: 'langgraph-dev', called: 'the dev server', atMost: 0.25 },
  ].map(({ peer, called, atMost }) =>
    targetLine(`CPU per token, ${what}, against ${called}`, load.against('ours', peer, 'cpuPerToken'), '×', {
      atMost,
    }),
  );
}
