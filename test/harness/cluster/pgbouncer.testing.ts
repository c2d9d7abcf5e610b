import { PgBouncerServer } from './pgbouncer.server.js';

/**
 * True if the tests that need a PgBouncer can run. Where there is none they are left out, and that is said.
 *
 * @param env the environment of the process, for `REQUIRE_PGBOUNCER`
 * @throws Error when there is none although REQUIRE_PGBOUNCER says that there has to be one
 */
export function hasPgBouncer(env: Readonly<Record<string, string | undefined>>): boolean {
  if (PgBouncerServer.isInstalled) return true;
  if (env['REQUIRE_PGBOUNCER'])
    throw new Error('REQUIRE_PGBOUNCER is set and there is no pgbouncer on the PATH.');
  process.stderr.write('\nSKIPPED: all tests through PgBouncer. Install pgbouncer.\n\n');
  return false;
}
