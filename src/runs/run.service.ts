import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent.registry.js';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { belongsTo, hasEnded, type Run } from './run.js';
import { RunExecutor } from './run.executor.js';
import type { RunHooks } from './run.hooks.js';
import { newId } from './run.ids.js';
import { RunStore } from './run.store.js';
import { announceRun, Wakeups } from './wakeups.js';

/** What a person asks for. */
export interface StartRun {
  readonly principal: Principal;
  readonly message: string;
  /** Bytes of the message that are what was said before, where a client has the only record of it. They have no limit here. */
  readonly historyBytes?: number;
  /** Absent: a new thread. */
  readonly threadId?: string;
  /** A thread that does not exist is made, with this id: for protocols whose clients mint it. Default: NOT_FOUND. */
  readonly createThread?: boolean;
  /** Absent: the default agent. */
  readonly agent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Makes a repeated request find the run that the first one started. */
  readonly idempotencyKey?: string;
}

export interface RunServiceOptions {
  /** What a start does in a thread whose last run has not ended: `reject` (default) or `queue`. */
  readonly whenBusy: 'reject' | 'queue';
  /** What a start does in a thread that waits for approvals: `deny` them (default), or `reject` the start with APPROVAL_PENDING. */
  readonly whenAwaiting: 'deny' | 'reject';
  readonly beforeRun?: RunHooks['beforeRun'];
  /** The longest message that a person may send, in bytes of UTF-8. Default 256 KiB. */
  readonly maxMessageBytes?: number;
}

const MAX_MESSAGE_BYTES = 256 * 1024;

/** Starts runs, finds them, and asks for their end. A run of somebody else does not exist. */
@Injectable()
export class RunService {
  constructor(
    private readonly runs: RunStore,
    private readonly executor: RunExecutor,
    private readonly wakeups: Wakeups,
    private readonly agents: AgentRegistry,
    private readonly options: RunServiceOptions = { whenBusy: 'reject', whenAwaiting: 'deny' },
  ) {}

  /**
   * Stores a run; durable when it resolves. This process begins it at once when it has a place for it; else it is pending, and
   * begins when somebody has. The run goes on whether or not anybody watches.
   *
   * @throws AppError REQUEST_TOO_LARGE; AGENT_UNKNOWN; NOT_FOUND for a thread that is not the principal's; THREAD_BUSY with
   *   the running run's id as `details.runId`; APPROVAL_PENDING likewise; IDEMPOTENCY_CONFLICT when the key came before with
   *   another request; whatever `beforeRun` refuses with
   */
  async start(request: StartRun): Promise<Run> {
    const { principal, threadId, createThread = false, idempotencyKey } = request;
    this.checkLength(request);
    const { message, agent, metadata = {} } = { ...request, ...(await this.options.beforeRun?.(request)) };
    const result = await this.executor.begin({
      id: newId(),
      threadId: threadId ?? newId(),
      thread: threadId === undefined ? 'new' : createThread ? 'any' : 'existing',
      agent: this.agents.choose(principal, agent).name,
      principal,
      message,
      metadata,
      messageId: newId(),
      whenBusy: this.options.whenBusy,
      whenAwaiting: this.options.whenAwaiting,
      ...(idempotencyKey && { idempotency: { key: idempotencyKey, fingerprint: fingerprintOf(request) } }),
    });
    switch (result.outcome) {
      case 'created':
        announceRun(this.wakeups, result.run);
        return result.run;
      case 'existing':
        return result.run;
      case 'busy':
        throw new AppError(
          'THREAD_BUSY',
          `Thread '${threadId}' is busy with run '${result.runId}'. Wait for its end, or cancel it.`,
          { retryable: true, details: { runId: result.runId } },
        );
      case 'awaiting':
        throw new AppError(
          'APPROVAL_PENDING',
          `Thread '${threadId}' waits for an approval in run '${result.runId}'. Answer it first.`,
          { details: { runId: result.runId } },
        );
      case 'key-reused':
        throw new AppError(
          'IDEMPOTENCY_CONFLICT',
          'This Idempotency-Key was used with another request body. Use a new key for a new request.',
        );
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
    const asked = (await this.runs.requestCancel(runId)) ?? run;
    this.wakeups.notify(`control:${runId}`);
    return asked;
  }

  private checkLength({ message, historyBytes = 0 }: StartRun): void {
    const { maxMessageBytes: limit = MAX_MESSAGE_BYTES } = this.options;
    if (Buffer.byteLength(message) - historyBytes <= limit) return;
    throw new AppError(
      'REQUEST_TOO_LARGE',
      `The message is longer than ${limit.toLocaleString('en')} bytes. Shorten it.`,
    );
  }
}

/** Tells whether two requests ask for the same: the same fields with the same values, in whatever order they were written. */
function fingerprintOf({ message, threadId, agent, metadata }: StartRun): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted({ message, threadId, agent, metadata })))
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
