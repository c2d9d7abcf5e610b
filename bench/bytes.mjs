// `npm run bench -- bytes`: what a token weighs on the wire when it travels alone.
import { SERVERS, startServers } from './servers/servers.mjs';
import { startLoad } from './support/load.mjs';
import { measure, targetLine } from './support/measure.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';

const PACE_MS = 20;
const [SHORT, LONG] = [10, 60];

await withDirectory(async (directory) => {
  const load = await startLoad();
  const servers = await startServers(SERVERS, directory);
  const results = new Map();
  for (const server of servers) {
    await readBody(load, server, SHORT);
    const short = await readBody(load, server, SHORT);
    const long = await readBody(load, server, LONG);
    // What each further token adds; and what an answer has besides.
    const token = (long - short) / (LONG - SHORT);
    results.set(server.name, { token, rest: short - SHORT * token });
  }
  for (const server of servers) await server.stop();
  load.stop();
  publish(servers, results);
});

async function readBody(load, server, tokens) {
  const { bytesPerToken } = await measure(load, server, { runs: 1, script: { tokens, paceMs: PACE_MS } });
  return bytesPerToken * tokens;
}

function publish(servers, results) {
  report('bytes', {
    title: 'Bytes on the wire',
    intro: `Body bytes per further token of six characters, one per ${PACE_MS} ms, and for the rest of the response.`,
    tables: [
      {
        columns: ['bytes', 'per token', '', 'the rest of a response'],
        rows: servers.map(({ name, label }) => {
          const { token, rest } = results.get(name);
          return [label, number(token), ratio(token, results.get('floor').token), number(rest)];
        }),
      },
    ],
    notes: [targetLine('bytes per one-token delta', results.get('ours').token, '', { atMost: 120 })],
  });
}
