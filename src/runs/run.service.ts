import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { GivenInput } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { belongsTo, hasEnded, type Run } from './run.js';
import { RunWorker } from './run.worker.js';
import type { RunHooks } from './run.hooks.js';
import { newId } from './run-ids.js';
import { RunStore } from './run.store.js';
import type { StartBudget } from './start.budget.js';
import type { Switches } from '../switches/switches.js';
import type { ClientTool } from '../events/client-tool.js';
import { announceRun, Wakeups } from './wakeups.js';

/** A person's request for a run. */
export interface StartRunRequest {
  readonly principal: Principal;
  readonly message: string;
  /** Bytes of the message that are what was said before, where a client has the only record of it. They have no limit here. */
  readonly historyBytes?: number;
  /** Absent: a new thread. */
  readonly threadId?: string;
  /**
   * A thread that the principal does not have is made, with this id: for protocols whose clients mint it. Ids are the owner's own, so
   * that one is free even if other owners use it. Default: NOT_FOUND.
   */
  readonly createThread?: boolean;
  /** Absent: the default agent. */
  readonly agent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The graph's own input, for agents that take more than a message. What the agent's schema does not take is refused with its complaint. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** True if the message is only what people read of the input: the graph gets none. */
  readonly isWithoutMessage?: boolean;
  /** The graph's `runtime.context`, beside the principal. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Values of LangGraph's `configurable` that the agent has on its list. */
  readonly configurable?: Readonly<Record<string, unknown>>;
  /** Supersteps after which the run ends as RUN_LIMIT, where the agent's own limit is not lower. */
  readonly recursionLimit?: number;
  /** Tools that the front end runs: a call of one ends the run `awaiting-input`, and its result starts the run that goes on. */
  readonly clientTools?: readonly ClientTool[];
  /** `reject`: refuses the start while the thread's last run has not ended, even where such starts are queued. */
  readonly whenBusy?: 'reject';
  /** Makes a repeated request find the run that the first one started. */
  readonly idempotencyKey?: string;
}

export interface StartOptions {
  /** True if the start counts against the principal's budget. Default true; false for what the host itself wants, such as a timetable. */
  readonly counted?: boolean;
}

export interface RunServiceOptions {
  /** Rule for a start in a thread whose last run has not ended: `reject` (default) or `queue`. */
  readonly whenBusy: 'reject' | 'queue';
  /** Rule for a start in a thread that waits for approvals: `deny` them (default), or `reject` the start with INPUT_PENDING. */
  readonly whenAwaiting: 'deny' | 'reject';
  readonly beforeRun?: RunHooks['beforeRun'];
  /** The longest message that a person may send, in bytes of UTF-8. Default 256 KiB. */
  readonly maxMessageBytes?: number;
  /** The switches that operators have set. Default: nothing. */
  readonly switches?: Switches;
}

export const DEFAULT_START_RULES = {
  whenBusy: 'reject',
  whenAwaiting: 'deny',
  maxMessageBytes: 256 * 1024,
} as const;

/** Starts runs, finds them, and asks for their end. A run of somebody else does not exist. */
@Injectable()
export class RunService {
  constructor(
    private readonly runs: RunStore,
    private readonly executor: RunWorker,
    private readonly wakeups: Wakeups,
    private readonly agents: AgentRegistry,
    private readonly options: RunServiceOptions = { whenBusy: 'reject', whenAwaiting: 'deny' },
    private readonly budget?: StartBudget,
  ) {}

  /**
   * Stores a run; durable when it resolves. This process begins it at once when it has a place for it; else it is pending, and
   * begins when somebody has. The run goes on whether or not anybody watches.
   *
   * Takes one start from the principal's budget; a request that finds the run of an earlier one costs nothing.
   *
   * @throws AppError REQUEST_TOO_LARGE; RATE_LIMITED; AGENT_UNKNOWN; SWITCHED_OFF; NOT_FOUND for a thread that is not the principal's; THREAD_BUSY with
   *   the running run's id as `details.runId`; INPUT_PENDING likewise; IDEMPOTENCY_CONFLICT when the key came before with
   *   another request; whatever `beforeRun` refuses with
   */
  async start(request: StartRunRequest, { counted = true }: StartOptions = {}): Promise<Run> {
    const { principal, threadId, createThread = false, idempotencyKey } = request;
    this.checkLength(request);
    const budget = counted ? this.budget : undefined;
    const repeated = budget && (await this.take(budget, request));
    if (repeated) return repeated;
    const asked = { ...request, ...(await this.options.beforeRun?.(request)) };
    const { message, metadata = {} } = asked;
    const agent = this.agents.choose(principal, asked.agent);
    const { name } = agent;
    const refusal = this.options.switches?.refuseRun({ agent: name, principal });
    if (refusal) throw refusal;
    const given = toGiven(asked);
    await agent.check?.({ message, metadata, ...(given && { given }) }, principal);
    const result = await this.executor.begin({
      id: newId(),
      threadId: threadId ?? newId(),
      thread: threadId === undefined ? 'new' : createThread ? 'any' : 'existing',
      agent: name,
      principal,
      message,
      metadata,
      ...(given && { given }),
      messageId: newId(),
      whenBusy: request.whenBusy ?? this.options.whenBusy,
      whenAwaiting: this.options.whenAwaiting,
      ...(idempotencyKey && { idempotency: { key: idempotencyKey, fingerprint: fingerprint(request) } }),
    });
    switch (result.outcome) {
      case 'created':
        announceRun(this.wakeups, result.run);
        return result.run;
      case 'existing':
        budget?.giveBack(principal);
        return result.run;
      case 'busy':
        throw new AppError(
          'THREAD_BUSY',
          `Thread '${threadId}' is busy with run '${result.runId}'. Wait for its end, or cancel it.`,
          { retryable: true, details: { runId: result.runId } },
        );
      case 'awaiting':
        throw new AppError(
          'INPUT_PENDING',
          `Thread '${threadId}' waits for an answer in run '${result.runId}'. Answer it first.`,
          { details: { runId: result.runId } },
        );
      case 'key-reused':
        throw keyReused();
      case 'no-thread':
        throw new AppError('NOT_FOUND', `There is no thread '${threadId}'.`);
      default:
        return result satisfies never;
    }
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, runId: string): Promise<Run> {
    const run = await this.runs.get(runId);
    if (!run || !belongsTo(run.principal, principal))
      throw new AppError('NOT_FOUND', `There is no run '${runId}'.`);
    return run;
  }

  /**
   * Asks for the end of a run; its model and tools are told within milliseconds, and its stream ends with `cancelled`.
   * Harmless when repeated, and for a run that has ended.
   *
   * @throws AppError NOT_FOUND
   */
  async cancel(principal: Principal, runId: string): Promise<Run> {
    const run = await this.get(principal, runId);
    if (hasEnded(run)) return run;
    const isRequested = (await this.runs.requestCancel(runId)) ?? run;
    this.wakeups.notify(`control:${runId}`);
    return isRequested;
  }

  /** Takes a start from the budget. When nothing is left, returns the run that an earlier request with the same key has started. */
  private async take(budget: StartBudget, request: StartRunRequest): Promise<Run | undefined> {
    const { principal, idempotencyKey } = request;
    try {
      await budget.take(principal);
      return undefined;
    } catch (error) {
      const earlier = idempotencyKey ? await this.runs.findByKey(principal, idempotencyKey) : undefined;
      if (!earlier) throw error;
      if (earlier.fingerprint !== fingerprint(request)) throw keyReused();
      return earlier.run;
    }
  }

  private checkLength({ message, historyBytes = 0, ...request }: StartRunRequest): void {
    const { maxMessageBytes: limit = DEFAULT_START_RULES.maxMessageBytes } = this.options;
    const given = toGiven(request);
    const givenBytes = given ? Buffer.byteLength(JSON.stringify(given)) : 0;
    if (Math.max(Buffer.byteLength(message), givenBytes) - historyBytes <= limit) return;
    throw new AppError(
      'REQUEST_TOO_LARGE',
      `The message is longer than ${limit.toLocaleString('en')} bytes. Shorten it.`,
    );
  }
}

/** Returns the values that a start gives to its graph; undefined if it gives only a message. */
function toGiven({
  input,
  isWithoutMessage,
  context,
  configurable,
  recursionLimit,
  clientTools = [],
}: Omit<StartRunRequest, 'principal' | 'message'>): GivenInput | undefined {
  const given: GivenInput = {
    ...(input && { input }),
    ...(isWithoutMessage && { isWithoutMessage }),
    ...(context && { context }),
    ...(configurable && { configurable }),
    ...(recursionLimit !== undefined && { recursionLimit }),
    ...(clientTools.length > 0 && { clientTools }),
  };
  return Object.keys(given).length > 0 ? given : undefined;
}

function keyReused(): AppError {
  return new AppError(
    'IDEMPOTENCY_CONFLICT',
    'This Idempotency-Key was used with another request body. Use a new key for a new request.',
  );
}

/** Tells whether two requests ask for the same: the same fields with the same values, in whatever order they were written. */
function fingerprint(request: StartRunRequest): string {
  const { message, threadId, agent, metadata } = request;
  return createHash('sha256')
    .update(JSON.stringify(sorted({ message, threadId, agent, metadata, given: toGiven(request) })))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}
