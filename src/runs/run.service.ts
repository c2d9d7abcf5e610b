import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { Agent } from '../agents/agent.js';
import { AppError, MissingError } from '../errors.js';
import type { Principal } from '../principal.js';
import { belongsTo, hasEnded, type ListedRun, type Run } from './run.js';
import { RunWorker } from './run.worker.js';
import { readUnendedBefore } from './ancestors.js';
import type { RunHooks } from './run.hooks.js';
import type { FileService, PreparedFiles } from './file.service.js';
import { checkDelay, createDelayRefusal, MOST_DELAYED_RUNS } from './run-delay.js';
import { placeRun, type PlacedRequest } from './run-place.js';
import type { StartRunRequest } from './start-request.js';
import { changeRequest, fingerprint, toGiven } from './start-values.js';
import { newId } from './run-ids.js';
import type { RunFilter } from './run-filter.js';
import { RunStore, type NewRun, type Page, type PageRequest } from './run.store.js';
import type { StartBudget } from './start.budget.js';
import type { Switches } from '../switches/switches.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { WakeupSignal } from './wakeup.signal.js';
import { announceRun, Wakeups } from './wakeups.js';

export type { StartRunRequest } from './start-request.js';

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
  /** Maximum runs of one principal that begin later, at a time. Default 100. */
  readonly maxDelayedRunsPerPrincipal?: number;
  /** The switches that operators have set. Default: nothing. */
  readonly switches?: Switches;
  /** Default: nothing is traced. */
  readonly telemetry?: Telemetry;
  /** Default: messages have no files. */
  readonly files?: Pick<FileService, 'prepare' | 'checkGiven'>;
}

/** Maximum wait of a start for the deletion of the runs whose place it takes, in milliseconds. They are deleted in any case. */
const ROLLBACK_WAIT_MS = 1_000;

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
   * @throws AppError REQUEST_TOO_LARGE; RATE_LIMITED; TOO_MANY_DELAYED; AGENT_UNKNOWN; SWITCHED_OFF; NOT_FOUND for a thread, a run or a file that is not the
   *   principal's; FILE_REFUSED, FILE_NOT_ACCEPTED and FILES_FULL for its files; THREAD_BUSY with
   *   the running run's id as `details.runId`; INPUT_PENDING likewise; IDEMPOTENCY_CONFLICT when the key came before with
   *   another request; whatever `beforeRun` refuses with
   */
  async start(request: StartRunRequest, { counted = true }: StartOptions = {}): Promise<Run> {
    const { principal } = request;
    this.checkLength(request);
    checkDelay(request.delayMs);
    const budget = counted ? this.budget : undefined;
    const repeated = budget && (await this.take(budget, request));
    if (repeated) return repeated;
    const placed = await placeRun(request, this.runs);
    const asked = changeRequest(placed, await this.options.beforeRun?.(placed));
    const agent = this.agents.choose(principal, asked.agent);
    const { name } = agent;
    const refusal = this.options.switches?.refuseRun({ agent: name, principal });
    if (refusal) throw refusal;
    // The files of a repeated start are not stored again: there may be no room for them.
    const earlier = asked.files?.length ? await this.findEarlier(request) : undefined;
    if (earlier) {
      budget?.giveBack(principal);
      await this.overtake(request, earlier);
      return earlier;
    }
    const prepared = await this.prepareFiles(asked, agent);
    try {
      return await this.begin({ ...asked, ...(prepared && { prepared }) }, { request, agent, budget });
    } catch (error) {
      await prepared?.discard();
      throw error;
    }
  }

  /** Stores the run of a request that nothing speaks against. */
  private async begin(
    asked: PlacedRequest & { readonly prepared?: PreparedFiles },
    { request, agent, budget }: StartTerms,
  ): Promise<Run> {
    const { principal, idempotencyKey } = request;
    const { threadId, createThread = false, parentId, message, metadata = {}, prepared } = asked;
    const { name } = agent;
    const { maxDelayedRunsPerPrincipal: maxDelayed = MOST_DELAYED_RUNS } = this.options;
    const rollback = request.whenBusy === 'rollback' && { rollsBack: true };
    const values = toGiven(asked, prepared?.files);
    const given = rollback ? { ...values, ...rollback } : values;
    if (given?.stateChange && !agent.takesStateChanges)
      throw new AppError('REQUEST_INVALID', `The agent '${name}' takes no changes of its state.`);
    if (given) this.options.files?.checkGiven(agent.listFiles?.(given) ?? [], agent);
    await agent.check?.({ message, metadata, ...(given && { given }) }, principal);
    const ids = { id: newId(), threadId: threadId ?? newId() };
    const traced = this.options.telemetry?.startRun({ ...ids, agent: name });
    const result = await this.executor.begin({
      ...ids,
      thread: threadId === undefined ? 'new' : createThread ? 'any' : 'existing',
      agent: name,
      principal,
      message,
      metadata,
      ...(given && { given }),
      messageId: newId(),
      ...(parentId !== undefined && { parentId }),
      ...(traced && { traceparent: traced.traceparent }),
      ...(request.delayMs && { delayMs: request.delayMs, maxDelayed }),
      whenBusy: toRule(request.whenBusy ?? this.options.whenBusy),
      whenAwaiting: this.options.whenAwaiting,
      ...(idempotencyKey && { idempotency: { key: idempotencyKey, fingerprint: fingerprint(request) } }),
    });
    switch (result.outcome) {
      case 'created':
        traced?.confirm();
        announceRun(this.wakeups, result.run);
        await this.overtake(request, result.run);
        return result.run;
      case 'existing':
        budget?.giveBack(principal);
        await prepared?.discard();
        await this.overtake(request, result.run);
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
        throw new MissingError('thread', String(threadId));
      case 'too-many-delayed':
        throw createDelayRefusal(maxDelayed);
      case 'no-file':
        throw new AppError(
          'NOT_FOUND',
          `There is no file '${result.fileId}' in this conversation. Upload it again.`,
        );
      default:
        return result satisfies never;
    }
  }

  private async prepareFiles(
    { principal, files, isWithoutMessage }: PlacedRequest,
    agent: Agent,
  ): Promise<PreparedFiles | undefined> {
    if (!files?.length) return undefined;
    if (isWithoutMessage || !this.options.files)
      throw new AppError('REQUEST_INVALID', 'Files belong to a message. Send one with them.');
    return this.options.files.prepare(principal, files, agent);
  }

  /**
   * Takes one start from the principal's budget for something else that is stored.
   *
   * @returns gives it back, if nothing was stored
   * @throws AppError RATE_LIMITED
   */
  async charge(principal: Principal): Promise<() => void> {
    await this.budget?.take(principal);
    return () => this.budget?.giveBack(principal);
  }

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, runId: string): Promise<Run> {
    const run = await this.runs.get(runId);
    if (!run || !belongsTo(run.principal, principal)) throw new MissingError('run', runId);
    return run;
  }

  /** Lists the principal's runs of all threads. A page may have fewer than its limit, and another after it. */
  list(
    { tenant, userId }: Principal,
    filter: Omit<RunFilter, 'tenant' | 'userId'>,
    page: PageRequest,
  ): Promise<Page<ListedRun>> {
    return this.runs.findRuns({ ...filter, tenant, userId }, page);
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
    // One that was to begin later may end at once.
    if (run.status === 'pending') this.wakeups.notify('pending');
    return isRequested;
  }

  /** Cancels the run that this one would wait for, if its start says so. Harmless when repeated, because the run is already stored. */
  private async overtake({ whenBusy }: StartRunRequest, run: Run): Promise<void> {
    if (whenBusy !== 'interrupt' && whenBusy !== 'rollback') return;
    let hasCancelled = false;
    const begun = new WakeupSignal(this.wakeups, `log:${run.id}`, ROLLBACK_WAIT_MS);
    try {
      for await (const earlier of readUnendedBefore(run, this.runs)) {
        await this.cancel(run.principal, earlier.id);
        hasCancelled = true;
      }
      // The runs whose place it takes are deleted before its first event: its client does not meet them any more.
      if (hasCancelled && whenBusy === 'rollback') await new Promise<void>((resolve) => begun.next(resolve));
    } finally {
      begun.close();
    }
  }

  /** Takes a start from the budget. When nothing is left, returns the run that an earlier request with the same key has started. */
  private async take(budget: StartBudget, request: StartRunRequest): Promise<Run | undefined> {
    try {
      await budget.take(request.principal);
      return undefined;
    } catch (error) {
      const earlier = await this.findEarlier(request);
      if (!earlier) throw error;
      return earlier;
    }
  }

  /** Returns the run that an earlier request with the same key has started. @throws AppError IDEMPOTENCY_CONFLICT */
  private async findEarlier(request: StartRunRequest): Promise<Run | undefined> {
    const { principal, idempotencyKey } = request;
    const earlier = idempotencyKey ? await this.runs.findByKey(principal, idempotencyKey) : undefined;
    if (earlier && earlier.fingerprint !== fingerprint(request)) throw keyReused();
    return earlier?.run;
  }

  private checkLength({ message, historyBytes = 0, ...request }: StartRunRequest): void {
    const { maxMessageBytes: limit = DEFAULT_START_RULES.maxMessageBytes } = this.options;
    const given = JSON.stringify(toGiven(request)) ?? '';
    if (Math.max(Buffer.byteLength(message), Buffer.byteLength(given)) - historyBytes <= limit) return;
    throw new AppError(
      'REQUEST_TOO_LARGE',
      `The message is longer than ${limit.toLocaleString('en')} bytes. Shorten it.`,
    );
  }
}

interface StartTerms {
  readonly request: StartRunRequest;
  readonly agent: Agent;
  readonly budget: StartBudget | undefined;
}

/** The run that is interrupted is waited for. */
function toRule(whenBusy: NonNullable<StartRunRequest['whenBusy']>): NewRun['whenBusy'] {
  return whenBusy === 'interrupt' ? 'queue' : whenBusy;
}

function keyReused(): AppError {
  const reason = 'This Idempotency-Key was used with another request body. Use a new key for a new request.';
  return new AppError('IDEMPOTENCY_CONFLICT', reason);
}
