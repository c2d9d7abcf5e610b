import { parseArgs } from 'node:util';
import { killLoop } from './kill-loop.js';
import { listComplaints, formatTable } from './kill-report.js';

// npm run kill-loop -- --kills 1000 --seed 7 [--guests]
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    guests: { type: 'boolean', default: false },
    people: { type: 'string', default: '20' },
    verbose: { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
const report = await killLoop({
  kills,
  seed: Number(values.seed),
  people: Number(values.people),
  guests: values.guests,
  onKill: (count) => {
    if (count % 50 === 0) process.stderr.write(`${count} of ${kills} kills\n`);
  },
});
process.stdout.write(`${formatTable(report)}\n`);
const complaints = listComplaints(report);
if (complaints.length > 0) {
  process.stdout.write(`\n${complaints.slice(0, 50).join('\n')}\n\nAgain with --seed ${report.seed}.\n`);
  process.exitCode = 1;
  const bad = report.logs.find((log) => log[0]?.runId === report.anomalies[0]?.runId);
  if (values.verbose && bad)
    process.stdout.write(`${bad.map((event) => JSON.stringify(event)).join('\n')}\n`);
}
