import { inspect } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { ChatConfig } from './config.js';
import type { Log } from './log.js';
import type { Storage } from '../storage/storage.js';
import { runAtWork } from '../runs/run-context.js';
import { Readiness } from '../instance/readiness.js';

/** Exit code for configuration errors in `sysexits.h`; orchestrators can tell it from a crash. */
const EXIT_CONFIG = 78;

/** Beyond the drain: what a storage may take to write its last words. */
const CLOSE_GRACE_MS = 5000;

/**
 * Stops the app once on SIGTERM or SIGINT: not ready first, then a drain of at most `drainMs`. A second signal, or a close that
 * hangs, ends the process at once; runs that were not handed back are taken over at the next start.
 */
export function stopOnSignals(
  app: INestApplication,
  { drainMs }: Pick<ChatConfig, 'drainMs'>,
  { log, stopTelemetry }: { readonly log: Log; readonly stopTelemetry?: () => Promise<void> },
): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      log.warn({ context: 'App', signal }, 'exiting immediately');
      process.exit(1);
    }
    stopping = true;
    log.info({ context: 'App', signal }, 'shutting down; signal again to exit immediately');
    app.get(Readiness).startDraining();
    setTimeout(() => {
      log.error({ context: 'App' }, 'the shutdown takes too long; exiting');
      process.exit(1);
    }, drainMs + CLOSE_GRACE_MS).unref();
    try {
      await app.close();
      await stopTelemetry?.().catch((error: unknown) =>
        log.warn({ context: 'App', err: error }, 'the last traces and metrics could not be sent'),
      );
      process.exit(0);
    } catch (error) {
      log.fatal({ context: 'App', err: error }, 'the shutdown failed');
      process.exit(1);
    }
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

/** Ends the process when its storage is broken for good: only a restart brings its runs back. */
export function exitOnBrokenStorage(storage: Storage, log: Log): void {
  storage.onBroken((reason) => {
    log.fatal({ context: 'App', err: reason }, 'the storage is broken; exiting');
    process.exit(1);
  });
}

/**
 * After an uncaught error nothing is certain any more: it is logged, and the log of events makes the restart safe. But a
 * promise that a run's agent has left alone is that run's affair: it fails, and everything else goes on.
 */
export function exitOnUncaught(log: Log): void {
  const exit = (event: string, error: unknown): never => {
    log.fatal({ context: 'App', err: error }, event);
    process.exit(1);
  };
  process.on('uncaughtException', (error) => exit('uncaughtException', error));
  process.on('unhandledRejection', (error) => {
    const run = runAtWork.getStore();
    if (!run) exit('unhandledRejection', error);
    else run.fail(error);
  });
}

/** Ends a start that failed: what the operator can mend is said plainly, the rest with its stack. */
export function exitOnFailedStart(error: unknown): never {
  const known = explain(error);
  process.stderr.write(`${known ?? inspect(error)}\n`);
  // The module that fails, and the place: needed to mend it.
  if (known !== undefined && error instanceof AppError && error.cause !== undefined) {
    process.stderr.write(`Cause: ${inspect(error.cause)}\n`);
  }
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
