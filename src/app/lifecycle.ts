import type { INestApplication } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { Readiness } from './readiness.js';

/** What `sysexits.h` calls a configuration error; orchestrators can tell it from a crash. */
const EXIT_CONFIG = 78;

/** Beyond the drain: what a storage may take to write its last words. */
const CLOSE_GRACE_MS = 5000;

/**
 * Stops the app once on SIGTERM or SIGINT: not ready first, then a drain of at most `drainMs`. A second signal, or a close that
 * hangs, ends the process at once; runs that were not handed back are taken over at the next start.
 */
export function stopOnSignals(app: INestApplication, { drainMs }: Pick<Config, 'drainMs'>, log: Log): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      log.warn({ context: 'App', signal }, 'stopped at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ context: 'App', signal }, 'stopping; once more stops at once');
    app.get(Readiness).startDraining();
    setTimeout(() => {
      log.error({ context: 'App' }, 'stopping takes too long; giving up');
      process.exit(1);
    }, drainMs + CLOSE_GRACE_MS).unref();
    try {
      await app.close();
      process.exit(0);
    } catch (error) {
      log.fatal({ context: 'App', err: error }, 'stopping failed');
      process.exit(1);
    }
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

/** After an error that nobody caught nothing is certain any more: it is logged, and the log of events makes the restart safe. */
export function exitOnUncaught(log: Log): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ context: 'App', err: error }, event);
      process.exit(1);
    });
  }
}

/** Ends a start that failed: what the operator can mend is said plainly, the rest with its stack. */
export function exitOnFailedStart(error: unknown): never {
  const known = explain(error);
  process.stderr.write(`${known ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exit(error instanceof AppError && error.code === 'CONFIG_INVALID' ? EXIT_CONFIG : 1);
}

function explain(error: unknown): string | undefined {
  if (error instanceof AppError) return error.message;
  const { code, address, port } = (error ?? {}) as { code?: string; address?: string; port?: number };
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${address} is in use. Stop what listens there, or set PORT to another one.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${address ?? 'of that name'}. Set HOST to one it has, or unset it for 127.0.0.1.`;
    case 'EACCES':
      return `This user may not listen on port ${port}. Set PORT to one from 1024 up, or let a proxy listen there.`;
    default:
      return undefined;
  }
}
