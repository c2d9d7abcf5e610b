// `npm run bench -- cpu`: what a token costs and how many a second get through, ours beside our peers.
import { SERVERS, startServers } from './servers/servers.mjs';
import { startLoad } from './support/load.mjs';
import { measure, targetLine } from './support/measure.mjs';
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
    { runs: 1, script: { ...PACED, tokens: 50 }, repeats: 1 },
    { runs: 50, script: PACED, repeats: 1 },
    { runs: 200, script: PACED, repeats: 1 },
  ],
};
const WARM_UP = { runs: 50, script: BURST, repeats: 4 };

await withDirectory(async (directory) => {
  const load = await startLoad();
  const servers = await startServers(SERVERS, directory);
  for (const server of servers) await measure(load, server, WARM_UP);

  const results = { burst: [], paced: [] };
  for (const [kind, loads] of Object.entries(LOADS)) {
    for (const plan of loads) {
      const variants = servers;
      const samples = await interleaved({
        variants,
        rounds: ROUNDS,
        measure: (server) => measure(load, server, plan),
      });
      results[kind].push(new Map(servers.map((server) => [server.name, summaryOf(samples.get(server))])));
    }
  }
  for (const server of servers) await server.stop();
  load.stop();
  publish(servers, results);
});

function summaryOf(rounds) {
  return {
    cpu: median(rounds.map(({ cpuPerToken }) => cpuPerToken)),
    speed: median(rounds.map(({ tokensPerSecond }) => tokensPerSecond)),
    loadShare: Math.max(...rounds.map(({ loadShare }) => loadShare)),
  };
}

function publish(servers, { burst, paced }) {
  const share = Math.max(
    ...[...burst, ...paced].flatMap((load) => [...load.values()].map(({ loadShare }) => loadShare)),
  );
  report('cpu', {
    title: 'CPU per token, and tokens per second',
    intro:
      `Medians of ${ROUNDS} interleaved rounds of 1, 50 and 200 runs at the same time. CPU is of the whole server process, its ` +
      'threads included; tokens a second are those that the readers got.',
    tables: [
      { caption: 'No delay between tokens, 200 tokens a run', ...tableOf(servers, burst) },
      { caption: 'A token each 20 ms, 100 tokens a run (50 when it is alone)', ...tableOf(servers, paced) },
    ],
    notes: [
      ...[burst, paced].flatMap((loads, index) =>
        [1, 2].flatMap((place) =>
          cpuTargets(loads[place], `${place === 1 ? 50 : 200} runs, ${index === 0 ? 'no delay' : '20 ms'}`),
        ),
      ),
      targetLine('tokens/s, 200 paced runs, against the floor', against(paced[2], 'floor', 'speed'), '×', {
        atLeast: 0.9,
      }),
      targetLine(
        'tokens/s, 200 paced runs, against the dev server',
        against(paced[2], 'langgraph-dev', 'speed'),
        '×',
        { atLeast: 4 },
      ),
      `The load generator used at most ${number(share * 100)} % of a core.`,
    ],
  });
}

function tableOf(servers, loads) {
  return {
    columns: ['CPU µs/token', '1 run', '', '50 runs', '', '200 runs', '', 'tokens/s: 1', '50', '200'],
    rows: servers.map(({ name, label }) => [
      label,
      ...loads.flatMap((load) => [
        number(load.get(name).cpu, 1),
        ratio(load.get(name).cpu, load.get('floor').cpu),
      ]),
      ...loads.map((load) => number(load.get(name).speed)),
    ]),
  };
}

function cpuTargets(load, what) {
  return [
    targetLine(`CPU per token, ${what}, against the floor`, against(load, 'floor', 'cpu'), '×', {
      atMost: 1.3,
    }),
    targetLine(`CPU per token, ${what}, against the dev server`, against(load, 'langgraph-dev', 'cpu'), '×', {
      atMost: 0.25,
    }),
  ];
}

function against(load, peer, what) {
  return load.get('ours')[what] / load.get(peer)[what];
}
