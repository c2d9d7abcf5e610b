import { AppError } from '../errors.js';
import { loadConfig } from './config.js';
import { exitOnFailedStart } from './lifecycle.js';

// `npm run migrate`: brings the tables of the shared database up to date, as every start does that may. For deployments in which
// the app's own user may not change tables.
try {
  const { url } = loadConfig().storage.postgres;
  if (url === undefined)
    throw new AppError('CONFIG_INVALID', 'DATABASE_URL is not set: the embedded database migrates itself.');
  const { migrateDatabase } = await import('../storage/postgres/postgres.migrator.js');
  const done = await migrateDatabase(url);
  process.stdout.write(done === 0 ? 'The tables are up to date.\n' : `Migrations run: ${done}.\n`);
} catch (error) {
  exitOnFailedStart(error);
}
