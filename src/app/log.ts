import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.js';
import { toLoggedError } from './logged-error.js';

export type Log = Logger;

/** JSON lines on standard output, written at once, so that the last words of a dying process are not lost. */
export function createLog({ level }: Pick<Config['logging'], 'level'>, destination?: DestinationStream): Log {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: toLoggedError },
  };
  return destination ? pino(options, destination) : pino(options);
}
