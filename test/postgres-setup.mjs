import './harness/register.mjs';

const { PostgresServer } = await import('./harness/cluster/postgres.server.ts');

/** One PostgreSQL for all spec files of a run, each of which uses schemas or databases of its own. Jest calls it before the first. */
export default async function startPostgres() {
  if (process.env.TEST_DATABASE_URL) return;
  const server = await PostgresServer.start();
  process.env.TEST_DATABASE_URL = server.url;
  globalThis.stopPostgres = async () => {
    await server.stop();
    delete process.env.TEST_DATABASE_URL;
  };
}
