import { AppError } from '../errors.js';
import { jsonOf } from '../events/plain-data.js';
import type { RunEvent } from '../events/run-event.js';

/** What one run may use. Reaching a limit ends the run as `failed` with the code RUN_LIMIT. */
export interface RunLimits {
  /** Wall clock, in milliseconds, of one owner's work. Default 15 minutes. */
  readonly wallClockMs: number;
  readonly modelCalls: number;
  readonly toolCalls: number;
  /** Input and output tokens together, as far as the provider reports them. */
  readonly tokens: number;
  /** Bytes of the log, roughly. */
  readonly logBytes: number;
}

export const DEFAULT_LIMITS: RunLimits = {
  wallClockMs: 15 * 60_000,
  modelCalls: 50,
  toolCalls: 100,
  tokens: 1_000_000,
  logBytes: 16 * 1024 * 1024,
};

/** What a run has used so far. Pure: a fold of its events. */
export interface RunSpending {
  readonly modelCalls: number;
  readonly toolCalls: number;
  readonly tokens: number;
  readonly logBytes: number;
}

export const NOTHING_SPENT: RunSpending = { modelCalls: 0, toolCalls: 0, tokens: 0, logBytes: 0 };

/** What an event's envelope takes in the log beside its words. */
const ENVELOPE_BYTES = 64;

export function spend(spent: RunSpending, event: RunEvent): RunSpending {
  const logBytes = spent.logBytes + ENVELOPE_BYTES + payloadBytes(event);
  switch (event.type) {
    case 'usage':
      return {
        ...spent,
        logBytes,
        modelCalls: spent.modelCalls + 1,
        tokens: spent.tokens + event.totalTokens,
      };
    case 'tool-start':
      return { ...spent, logBytes, toolCalls: spent.toolCalls + 1 };
    default:
      return { ...spent, logBytes };
  }
}

/** The first limit that is exceeded, as the error that ends the run. */
export function exceeded(spent: RunSpending, limits: RunLimits): AppError | undefined {
  if (spent.modelCalls > limits.modelCalls) return reached('model calls', limits.modelCalls);
  if (spent.toolCalls > limits.toolCalls) return reached('tool calls', limits.toolCalls);
  if (spent.tokens > limits.tokens) return reached('tokens', limits.tokens);
  if (spent.logBytes > limits.logBytes) return reached('bytes of log', limits.logBytes);
  return undefined;
}

function reached(what: string, limit: number): AppError {
  return new AppError('RUN_LIMIT', `This run reached its limit of ${limit.toLocaleString('en')} ${what}.`);
}

function payloadBytes(event: RunEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.delta.length;
    case 'tool-start':
    case 'approval-request':
      return sizeOf(event.input);
    case 'tool-end':
      return sizeOf(event.output);
    case 'tool-progress':
    case 'custom':
      return sizeOf(event.data);
    default:
      return 0;
  }
}

function sizeOf(value: unknown): number {
  return jsonOf(value)?.length ?? 0;
}
