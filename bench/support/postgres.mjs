// A PostgreSQL of its own for a benchmark, with the CPU that it takes.
//
//   PostgresServer           the one of the tests
//   const database = await startPostgres()
//   database.url
//   database.cpuMs()         of all its processes so far, from the operating system; of those that have ended too
//   await database.stop()
import { readdir, readFile } from 'node:fs/promises';
import '../../test/harness/register.mjs';

export const { PostgresServer } = await import('../../test/harness/cluster/postgres.server.ts');

/** A tick of /proc/<pid>/stat, on every Linux that Node runs on. */
const TICK_MS = 10;

export async function startPostgres() {
  const server = await PostgresServer.start({ syncs: true });
  const stop = () => server.stop();
  // Whatever happens to the benchmark, the database ends with it.
  process.once('exit', () => void server.kill());
  const pid = await server.pid();
  return { url: server.url, cpuMs: () => sumCpuMs(pid), stop };
}

async function sumCpuMs(parent) {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(names.map(readStat));
  return stats.reduce((sum, stat) => {
    if (stat?.pid === parent) return sum + stat.ownMs + stat.endedChildrenMs;
    return stat?.parent === parent ? sum + stat.ownMs : sum;
  }, 0);
}

async function readStat(name) {
  const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The second field is the command in brackets, and may hold anything.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((index) => fields[index]);
  return {
    pid: Number(name),
    parent,
    ownMs: (user + system) * TICK_MS,
    endedChildrenMs: (childUser + childSystem) * TICK_MS,
  };
}
