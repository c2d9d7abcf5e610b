// `npm run bench -- telemetry`: what traces and metrics cost: without their packages, with the packages alone, and with them on.
//
//   STARTS=1 ROUNDS=1   a short try   BENCH_DIST, BENCH_README   as in the other benchmarks
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLoad } from './support/load.mjs';
import { measure, targetLine, wake } from './support/measure.mjs';
import { askProduct, startProduct } from './support/product.mjs';
import { number, ratio, report } from './support/report.mjs';
import { withDirectory } from './support/server.process.mjs';
import { interleaved, percentile } from './support/statistics.mjs';

/** One process is compiled and laid out in memory a little better than another, for all its life. */
const STARTS = Number(process.env.STARTS ?? 3);
/** Rounds of each start. */
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const BURST = { tokens: 200, paceMs: 0 };
// As `npm run bench -- cpu` has them, and short runs, in which a run's own spans weigh most.
const LOADS = [
  { label: '50 runs, no delay', runs: 50, script: BURST, repeats: 3 },
  { label: '200 runs, no delay', runs: 200, script: BURST, repeats: 1 },
  { label: '50 runs, 20 ms', runs: 50, script: { tokens: 100, paceMs: 20 }, repeats: 1 },
  { label: '50 runs of 20 tokens, no delay', runs: 50, script: { tokens: 20, paceMs: 0 }, repeats: 6 },
];
const WARM_UP = { runs: 50, script: BURST, repeats: 15 };
const HIDING = fileURLToPath(new URL('../test/telemetry/without-opentelemetry.mjs', import.meta.url));

await withDirectory(async (directory) => {
  const collector = await startCollector();
  const exporting = (share) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(share),
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
  });
  const variants = [
    { label: 'off, packages not installed', execArgv: ['--import', HIDING] },
    { label: 'off, packages installed' },
    { label: 'metrics, and a tenth of the traces', env: exporting(0.1) },
    { label: 'metrics, and all traces', env: exporting(1) },
  ];
  const rounds = LOADS.map(() => variants.map(() => []));
  for (let start = 0; start < STARTS; start += 1) {
    const generator = await startLoad();
    const servers = [];
    for (const [index, { label, ...options }] of variants.entries()) {
      const own = join(directory, `${start}-${index}`);
      await mkdir(own);
      const server = await startProduct({ directory: own, ...options });
      servers.push({ ...server, label, ask: (script) => askProduct(server.url, script) });
    }
    for (const server of servers) await measure(generator, server, WARM_UP);
    for (const [index, load] of LOADS.entries()) {
      const cpu = await compare(generator, servers, load);
      for (const [variant, values] of cpu.entries()) rounds[index][variant].push(...values);
    }
    for (const server of servers) await server.stop();
    generator.stop();
  }
  const requests = collector.stop();
  if (requests === 0) throw new Error('No traces and no metrics were sent.');
  publish(
    variants,
    LOADS.map(({ label }, index) => ({
      label,
      cpu: rounds[index].map((values) => percentile(values, 0.25)),
    })),
  );
});

async function compare(generator, servers, load) {
  const samples = await interleaved({
    variants: servers,
    rounds: ROUNDS,
    measure: async (server) => {
      await wake(generator, server);
      return measure(generator, server, load);
    },
  });
  return servers.map((server) => samples.get(server).map(({ cpuPerToken }) => cpuPerToken));
}

function publish(variants, results) {
  report('telemetry', {
    title: 'Traces and metrics',
    intro:
      `CPU µs per token of the whole server process, with its exporter's, and its ratio to the first line. What else the machine does only adds, so a figure ` +
      `is the upper end of the best quarter of ${STARTS * ROUNDS} interleaved rounds, of ${STARTS} starts. ` +
      'Traces and metrics go to a collector on this machine by OTLP, metrics every five seconds.',
    tables: [
      {
        columns: ['', ...results.flatMap(({ label }) => [label, ''])],
        rows: variants.map(({ label }, index) => [
          label,
          ...results.flatMap(({ cpu }) => [number(cpu[index], 2), ratio(cpu[index], cpu[0])]),
        ]),
      },
    ],
    notes: [
      ...results.slice(0, 3).flatMap(({ label, cpu }) => [
        targetLine(`off, ${label}, against an installation without the packages`, cpu[1] / cpu[0], '×', {
          atMost: 1.02,
        }),
        targetLine(`metrics and a tenth of the traces, ${label}`, cpu[2] / cpu[0], '×', { atMost: 1.05 }),
      ]),
      'On two shared cores, one start of the same build differs from the next by up to a fifth, which is more than the targets. Read all figures together.',
    ],
  });
}

/** Takes what is sent to it, and counts the requests. */
async function startCollector() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume().once('end', () => response.writeHead(200).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
    return requests;
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}
