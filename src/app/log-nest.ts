import { format } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Contexts of Nest's lines while it starts: one per module and route, useful only to find a wiring fault. */
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
    const { fields, messages } = sort([message, ...withoutContext(rest)]);
    const context = getContext(rest);
    const startingUp = level === 'info' && context !== undefined && START_UP_CONTEXTS.has(context);
    this.target[startingUp ? 'debug' : level]({ ...(context && { context }), ...fields }, messages.join(' '));
  }
}

/** Nest appends the context as the last argument. */
function getContext(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' && !isStack(last) ? last : undefined;
}

function withoutContext(rest: readonly unknown[]): readonly unknown[] {
  return getContext(rest) === undefined ? rest : rest.slice(0, -1);
}

function sort(values: readonly unknown[]): { fields: Record<string, unknown>; messages: string[] } {
  const fields: Record<string, unknown> = {};
  const messages: string[] = [];
  for (const value of values) {
    if (value === undefined) continue;
    if (value instanceof Error) {
      fields['err'] = value;
      if (messages.length === 0) messages.push(value.message);
    } else if (typeof value === 'object') {
      Object.assign(fields, value);
    } else if (isStack(value)) {
      fields['stack'] = value;
    } else {
      messages.push(format('%s', value));
    }
  }
  return { fields, messages };
}

function isStack(value: unknown): boolean {
  return typeof value === 'string' && /\n\s+at /.test(value);
}
