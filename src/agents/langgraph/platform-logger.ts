import { Logger } from '@nestjs/common';

/** The place where LangGraph's `getLogger()` looks for the logger of its platform. */
const GLOBAL_LOGGER = Symbol.for('langgraph.api.sdk-logger');

/** Nest's level for each method of that logger. */
const LEVELS = {
  error: 'error',
  warn: 'warn',
  info: 'log',
  help: 'log',
  data: 'log',
  prompt: 'log',
  http: 'log',
  input: 'log',
  debug: 'debug',
  verbose: 'verbose',
  silly: 'verbose',
} as const;

/** Makes `getLogger()` of LangGraph's SDK write to Nest's log, unless the host has given it a logger. Graphs call it while they are loaded. */
export function providePlatformLogger(): void {
  const holder = globalThis as { [GLOBAL_LOGGER]?: object };
  if (holder[GLOBAL_LOGGER]) return;
  const nest = new Logger('Graph');
  const logger: Record<string, (...said: unknown[]) => unknown> = {};
  for (const [name, level] of Object.entries(LEVELS)) {
    logger[name] = (message, ...details) => {
      nest[level](message, ...details);
      return logger;
    };
  }
  holder[GLOBAL_LOGGER] = logger;
}
