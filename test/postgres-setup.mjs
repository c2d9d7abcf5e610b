import './harness/register.mjs';

const { PostgresServer } = await import('./harness/cluster/postgres.server.ts');

/** One PostgreSQL for all spec files of a run, each of which uses schemas of its own. Jest calls it before the first. */
export default async function startPostgres() {
  if (process.env.DATABASE_URL) return;
  const server = await PostgresServer.start();
  process.env.DATABASE_URL = server.url;
  globalThis.stopPostgres = () => server.stop();
}
