// One measurement of one server.
//
//   await measure(load, server, { runs, script, repeats? })   `runs` at the same time, `repeats` times one after another
//       cpuPerToken      microseconds of the whole server process, all threads
//       withDatabase     the same and those of its database, where it has one of its own
//       tokensPerSecond
//       bytesPerToken    of the bodies
//       loadShare        of a core that the load generator used
//       answers          of load.mjs
//   await wake(load, server)   right before it: while others had their turn, V8 has given back what the server will need again
//   targetLine(what, value, unit, limit)   a line for a report's notes: whether a target was met and by how much it was missed
import { number } from './report.mjs';

export async function measure(load, server, { runs, script, repeats = 1 }) {
  const heard = { wallMs: 0, tokens: 0, bytes: 0, loadMs: 0, answers: [] };
  const before = await server.usage();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const requests = Array.from({ length: runs }, () => server.ask(script));
    const { wallMs, cpuShare, tokens, bytes, answers } = await load.ask(requests, { tokens: script.tokens });
    heard.wallMs += wallMs;
    heard.loadMs += cpuShare * wallMs;
    heard.tokens += tokens;
    heard.bytes += bytes;
    heard.answers.push(...answers);
  }
  const after = await server.usage();
  return {
    cpuPerToken: ((after.cpuMs - before.cpuMs) * 1000) / heard.tokens,
    withDatabase: ((sumCpuMs(after) - sumCpuMs(before)) * 1000) / heard.tokens,
    tokensPerSecond: (heard.tokens * 1000) / heard.wallMs,
    bytesPerToken: heard.bytes / heard.tokens,
    loadShare: heard.loadMs / heard.wallMs,
    answers: heard.answers,
  };
}

function sumCpuMs({ cpuMs, databaseCpuMs = 0 }) {
  return cpuMs + databaseCpuMs;
}

export function wake(load, server) {
  return measure(load, server, { runs: 25, script: { tokens: 200, paceMs: 0 } });
}

/** @param limit `{ atMost }` or `{ atLeast }` */
export function targetLine(what, value, unit, { atMost, atLeast }) {
  const met = atMost === undefined ? value >= atLeast : value <= atMost;
  const limit = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  const off = Math.abs(value / (atMost ?? atLeast) - 1) * 100;
  return `${what}: **${number(value, 2)}${unit}**, target ${limit}${unit}: ${met ? 'met' : `**missed** by ${number(off)} %`}.`;
}
