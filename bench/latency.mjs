// `npm run bench -- latency`: how long the first token is under way, and how long an answer stays open after its last.
import { SERVERS, startServers } from './servers/servers.mjs';
import { startLoad } from './support/load.mjs';
import { measure, targetLine, wake } from './support/measure.mjs';
import { number, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, median, percentile } from './support/statistics.mjs';

const ROUNDS = 5;
const LOADS = [
  { runs: 1, script: { tokens: 5, paceMs: 20 }, repeats: 4 },
  { runs: 50, script: { tokens: 25, paceMs: 20 }, repeats: 2 },
];
const WARM_UP = { runs: 50, script: { tokens: 200, paceMs: 0 }, repeats: 10 };

await withDirectory(async (directory) => {
  const load = await startLoad();
  const servers = await startServers(SERVERS, directory);
  for (const server of servers) await measure(load, server, WARM_UP);

  const results = [];
  for (const plan of LOADS) {
    const samples = await interleaved({
      variants: servers,
      rounds: ROUNDS,
      measure: async (server) => {
        await wake(load, server);
        return (await measure(load, server, plan)).answers;
      },
    });
    results.push(new Map(servers.map((server) => [server.name, summarizeDelays(samples.get(server))])));
  }
  for (const server of servers) await server.stop();
  load.stop();
  publish(servers, results);
});

/** Milliseconds; the median of what the rounds say, so that one disturbed round does not speak for all. */
function summarizeDelays(rounds) {
  const overRounds = (getDelay, share) =>
    median(
      rounds.map((answers) =>
        percentile(
          answers.map((answer) => getDelay(answer) / 1000),
          share,
        ),
      ),
    );
  const first = ({ firstAt, saidFirstAt }) => firstAt - saidFirstAt;
  const last = ({ lastAt, saidLastAt }) => lastAt - saidLastAt;
  const close = ({ endedAt, lastAt }) => endedAt - lastAt;
  const begin = ({ saidFirstAt, startedAt }) => saidFirstAt - startedAt;
  return {
    begin: overRounds(begin, 0.5),
    first: [overRounds(first, 0.5), overRounds(first, 0.99)],
    last: [overRounds(last, 0.5), overRounds(last, 0.99)],
    close: [overRounds(close, 0.5), overRounds(close, 0.99)],
  };
}

function publish(servers, [alone, fifty]) {
  const ours = fifty.get('ours');
  report('latency', {
    title: 'First token and close lag',
    intro:
      `One token per 20 ms. Milliseconds, p50 / p99 of a round, medians of ${ROUNDS} interleaved rounds. *Start*: from the request ` +
      "until the model emits its first token, including the model's 20 ms. *First* and *last*: from the model's token until the reader receives it. *Close*: from the reader's last token until the response ends.",
    tables: [
      { caption: 'One run', ...toTable(servers, alone) },
      { caption: '50 runs', ...toTable(servers, fifty) },
    ],
    notes: [
      targetLine("first token after the model's own, one run, p50", alone.get('ours').first[0], ' ms', {
        atMost: 3,
      }),
      targetLine("first token after the model's own, 50 runs, p50", ours.first[0], ' ms', { atMost: 3 }),
      targetLine("first token after the model's own, 50 runs, p99", ours.first[1], ' ms', { atMost: 15 }),
      targetLine('close lag, one run, p50', alone.get('ours').close[0], ' ms', { atMost: 5 }),
      targetLine('close lag, 50 runs, p50', ours.close[0], ' ms', { atMost: 5 }),
    ],
  });
}

function toTable(servers, results) {
  const both = ([p50, p99]) => `${number(p50, 1)} / ${number(p99, 1)}`;
  return {
    columns: ['ms', 'start p50', 'first', 'last', 'close'],
    rows: servers.map(({ name, label }) => {
      const { begin, first, last, close } = results.get(name);
      return [label, number(begin, 1), both(first), both(last), both(close)];
    }),
  };
}
