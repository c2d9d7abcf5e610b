import { format } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** What Nest says while it starts: a line per module and route, of interest only to who looks for a wiring fault. */
const START_UP_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/**
 * Nest's `Logger` over pino: whatever is logged with it becomes one line, in which the fields of objects stand at the top
 * (`logger.log('started', { runId })`), an Error becomes `err` with its causes, and the class is the `context`.
 */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const { fields, words } = sort([message, ...withoutContext(rest)]);
    const context = contextOf(rest);
    const startingUp = level === 'info' && context !== undefined && START_UP_CONTEXTS.has(context);
    this.target[startingUp ? 'debug' : level]({ ...(context && { context }), ...fields }, words.join(' '));
  }
}

/** Nest appends the context as the last argument. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' && !isStack(last) ? last : undefined;
}

function withoutContext(rest: readonly unknown[]): readonly unknown[] {
  return contextOf(rest) === undefined ? rest : rest.slice(0, -1);
}

function sort(values: readonly unknown[]): { fields: Record<string, unknown>; words: string[] } {
  const fields: Record<string, unknown> = {};
  const words: string[] = [];
  for (const value of values) {
    if (value === undefined) continue;
    if (value instanceof Error) {
      fields['err'] = value;
      if (words.length === 0) words.push(value.message);
    } else if (typeof value === 'object') {
      Object.assign(fields, value);
    } else if (isStack(value)) {
      fields['stack'] = value;
    } else {
      words.push(format('%s', value));
    }
  }
  return { fields, words };
}

function isStack(value: unknown): boolean {
  return typeof value === 'string' && /\n\s+at /.test(value);
}
