import { AppError } from '../errors.js';
import { getTraits } from '../events/event-traits.js';
import { weighEvent } from '../events/event-weight.js';
import type { RunEvent } from '../events/run-event.js';

/** Limits of one run. Reaching a limit ends the run as `failed` with the code RUN_LIMIT, or RUN_POISONED for its owners. */
export interface RunLimits {
  /** Wall clock since the run began, in milliseconds; time without an owner counts too. Default 15 minutes. */
  readonly maxMs: number;
  /** Calls of the model. Default 50. */
  readonly maxModelCalls: number;
  /** Calls of tools. Default 100. */
  readonly maxToolCalls: number;
  /** Input and output tokens together, as the provider reports them. Default 500,000. */
  readonly maxTokens: number;
  /** Size of the log, in bytes, estimated. Default 16 MiB. */
  readonly maxLogBytes: number;
  /** Owners that may die or fall silent while they hold the run, before it is given up. An orderly hand-over costs none. Default 3. */
  readonly maxOwners: number;
}

export const DEFAULT_LIMITS: RunLimits = {
  maxMs: 15 * 60_000,
  maxModelCalls: 50,
  maxToolCalls: 100,
  maxTokens: 500_000,
  maxLogBytes: 16 * 1024 * 1024,
  maxOwners: 3,
};

/** The part of its limits that a run has used. Pure: a fold of its events. */
export interface RunSpending {
  readonly modelCalls: number;
  readonly toolCalls: number;
  readonly tokens: number;
  readonly logBytes: number;
}

export const NOTHING_SPENT: RunSpending = { modelCalls: 0, toolCalls: 0, tokens: 0, logBytes: 0 };

export function spend(spent: RunSpending, event: RunEvent): RunSpending {
  const { counts } = getTraits(event);
  return {
    modelCalls: spent.modelCalls + (counts === 'model-call' && !hasFailed(event) ? 1 : 0),
    toolCalls: spent.toolCalls + (counts === 'tool-call' ? 1 : 0),
    tokens: spent.tokens + (event.type === 'usage' ? event.totalTokens : 0),
    logBytes: spent.logBytes + weighEvent(event),
  };
}

/** True for a model call that has brought nothing: whether it is made again is up to the graph. */
function hasFailed(event: RunEvent): boolean {
  return event.type === 'usage' && event.failed === true;
}

/** The first limit that is exceeded, as the error that ends the run. */
export function findExceeded(spent: RunSpending, limits: RunLimits): AppError | undefined {
  if (spent.modelCalls > limits.maxModelCalls) return reached('model calls', limits.maxModelCalls);
  if (spent.toolCalls > limits.maxToolCalls) return reached('tool calls', limits.maxToolCalls);
  if (spent.tokens > limits.maxTokens) return reached('tokens', limits.maxTokens);
  if (spent.logBytes > limits.maxLogBytes) return reached('bytes of log', limits.maxLogBytes);
  return undefined;
}

function reached(what: string, limit: number): AppError {
  return new AppError('RUN_LIMIT', `This run reached its limit of ${limit.toLocaleString('en')} ${what}.`);
}
