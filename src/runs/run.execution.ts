import { Logger } from '@nestjs/common';
import type { Agent, AgentContext } from '../agents/agent.js';
import { AppError, toPublicError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { addUsage } from '../events/run-view.js';
import type { PublicError, RunEvent, RunOutcome, Usage } from '../events/run-event.js';
import type { EventLog } from './event.log.js';
import { firstEvents, type Taken } from './first.events.js';
import type { GroupCommit } from './group-commit.js';
import { closingEvents, NOTHING_OPEN, trackOpen, type OpenItems } from './open-items.js';
import type { RecentEvents } from './recent.events.js';
import type { Run } from './run.js';
import type { RunHookCalls } from './run.hooks.js';
import { exceeded, NOTHING_SPENT, spend, type RunLimits } from './run.limits.js';
import { originOf, type RunOrigin } from './run.origin.js';
import { RunRecorder } from './run.recorder.js';
import type { RunStore } from './run.store.js';
import type { Wakeups, WakeupTopic } from './wakeups.js';

/** What an execution works with; the same for all runs of a process. */
export interface ExecutionTools {
  readonly runs: RunStore;
  readonly log: EventLog;
  readonly recent: RecentEvents;
  readonly wakeups: Wakeups;
  readonly commits: GroupCommit;
  readonly limits: RunLimits;
  readonly hooks?: RunHookCalls;
}

/** Why a run's agent is told to stop. */
type Stop =
  | { readonly why: 'cancelled' }
  | { readonly why: 'limit'; readonly error: AppError }
  /** Another process owns the run, or the log cannot be written: whoever owns it next goes on. */
  | { readonly why: 'lost' }
  | { readonly why: 'handed-back' };

/** How long an agent that was told to stop may take before the run ends without it. A deaf tool may go on; nobody hears it. */
const STOP_GRACE_MS = 100;

/** What a timer can wait for; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

/** One owner's work on one run: from when it has it to the run's end, or until the run goes to another owner. */
export class RunExecution {
  private readonly logger = new Logger(RunExecution.name);
  /** Made once: it is notified at every commit. */
  private readonly topic: WakeupTopic;
  private readonly abort = new AbortController();
  private stopped: Stop | undefined;
  private handBackAtBoundary = false;
  private spent = NOTHING_SPENT;
  private usage = NO_USAGE;
  /** Which owner of the run this is, as its log counts them. */
  private attempt = 1;
  private readonly begunCalls = new Map<string, string>();
  private readonly completedSteps = new Set<string>();
  private decisions: RunOrigin['decisions'] = new Map();

  constructor(
    private readonly run: Run,
    private readonly agent: Agent | undefined,
    private readonly tools: ExecutionTools,
    private readonly taken: Taken,
  ) {
    this.topic = `log:${run.id}`;
  }

  /** Runs the agent and records what it says. Resolves when this process is done with the run; never rejects. */
  async perform(): Promise<void> {
    const { runs, wakeups, limits } = this.tools;
    const stopListening = wakeups.listen(`control:${this.run.id}`, () => void this.checkCancelled());
    const wallClock = setTimeout(
      () => this.stop({ why: 'limit', error: outOfTime(limits) }),
      Math.min(limits.wallClockMs, LONGEST_TIMER_MS),
    );
    try {
      const recorder = await this.takeUp();
      const failure = await this.runAgent(recorder);
      if (isStorageAway(failure)) this.lose();
      if (this.stopped?.why === 'lost') return this.leave(recorder, failure);
      if (this.stopped?.why !== 'handed-back') return await this.finish(recorder, failure);
      await recorder.flush();
      this.leave(recorder);
      await runs.release({ runId: this.run.id, epoch: this.run.epoch });
      wakeups.notify('pending');
    } catch (error) {
      // The storage failed: the lease runs out and the run is taken over, by this process or by another.
      this.logger.error({ err: error, runId: this.run.id }, 'The run is left to its next owner.');
    } finally {
      clearTimeout(wallClock);
      stopListening();
    }
  }

  /** The person's wish: reaches model and tools as the abort of their signal. */
  cancel(): void {
    this.stop({ why: 'cancelled' });
  }

  /** Another owner has the run. Nothing more is written. */
  lose(): void {
    this.stop({ why: 'lost' });
  }

  /** Gives the run back: at its next step boundary, or `now`. */
  handBack(when: 'at-boundary' | 'now'): void {
    if (when === 'now') this.stop({ why: 'handed-back' });
    else this.handBackAtBoundary = true;
  }

  /** A recorder that stands where the log ends, with the first events of this owner already said. */
  private async takeUp(): Promise<RunRecorder> {
    const { id: runId, threadId, epoch, lastSeq } = this.run;
    this.takeOver(await originOf(this.run, this.tools));
    let open: OpenItems = NOTHING_OPEN;
    if (lastSeq > 0) this.attempt += 1;
    for await (const { event, at } of this.history()) {
      open = trackOpen(open, event, at);
      this.account(event);
      if (event.type === 'run-resume') this.attempt += 1;
      if (event.type === 'step-end') this.completedSteps.add(event.stepId);
      if (event.type === 'step-reset') this.completedSteps.delete(event.stepId);
    }
    const recorder = new RunRecorder(
      {
        runId,
        threadId,
        epoch,
        lastSeq,
        open,
        onCommitted: (events) => this.publish(events),
        onLost: (reason) => {
          if (reason !== 'fenced')
            this.logger.error({ err: reason, runId }, 'The run could not be recorded.');
          this.tools.recent.forget(runId);
          this.lose();
        },
      },
      this.tools.commits,
    );
    const { decisions, attempt, taken } = this;
    const first = firstEvents(this.run, { ...taken, open, decisions, attempt });
    for (const event of first) void recorder.emit(event);
    // A storage that takes no more has taken nothing of the last owner's end either: no model is asked before it does again.
    if (lastSeq > 0) await recorder.flush();
    return recorder;
  }

  private takeOver({ decisions, begunCalls, completedSteps }: RunOrigin): void {
    this.decisions = decisions;
    for (const [toolCallId, stepId] of begunCalls) this.begunCalls.set(toolCallId, stepId);
    for (const stepId of completedSteps) this.completedSteps.add(stepId);
  }

  private async *history(): AsyncGenerator<RecordedEvent> {
    for (let seq = 0; seq < this.run.lastSeq;) {
      const page = await this.tools.log.read(this.run.id, seq, 1_000);
      if (page.length === 0) return;
      yield* page;
      seq = page.at(-1)?.seq ?? seq;
    }
  }

  /** Resolves with what the agent threw, or undefined; at the latest a moment after it was told to stop. */
  private async runAgent(recorder: RunRecorder): Promise<unknown> {
    const { id: runId, threadId, messageId, principal, message, metadata, epoch } = this.run;
    if (this.run.cancelRequested) this.cancel();
    if (this.stopped) return undefined;
    if (!this.agent)
      return new AppError('AGENT_UNKNOWN', `There is no agent '${this.run.agent}' on this server.`);
    if (this.run.resumeOf !== undefined && this.decisions.size === 0)
      return new AppError('RUN_FAILED', 'The run that this one continues is gone.');

    // Listens first: an agent can reach a limit before it waits for anything.
    const abortedAndGraceOver = this.abortedAndGraceOver();
    const context: AgentContext = {
      runId,
      threadId,
      messageId,
      principal,
      attempt: this.attempt,
      epoch,
      isNewThread: this.taken.isNewThread ?? false,
      signal: this.abort.signal,
      begunCalls: this.begunCalls,
      completedSteps: this.completedSteps,
      decisions: this.decisions,
      recorded: () => recorder.flush(),
      emit: (event) => this.emit(recorder, event),
      commitNow: () => recorder.commitNow(),
    };
    const { agent, run } = this;
    const work = async () => agent.run({ message, metadata }, context);
    const { hooks } = this.tools;
    return Promise.race([failureOf(() => hooks?.around(run, work) ?? work()), abortedAndGraceOver]);
  }

  private emit(recorder: RunRecorder, event: RunEvent): void | Promise<void> {
    if (this.stopped) return;
    this.account(event);
    const waiting = recorder.emit(event);
    const error = exceeded(this.spent, this.tools.limits);
    if (error) this.stop({ why: 'limit', error });
    if (this.handBackAtBoundary && event.type === 'step-end') this.stop({ why: 'handed-back' });
    return waiting;
  }

  private leave(recorder: RunRecorder, failure?: unknown): void {
    if (isStorageAway(failure))
      this.logger.error({ err: failure, runId: this.run.id }, 'The run is left to its next owner.');
    recorder.abandon();
    this.tools.recent.forget(this.run.id);
  }

  private account(event: RunEvent): void {
    this.spent = spend(this.spent, event);
    if (event.type === 'usage') this.usage = addUsage(this.usage, event);
    if (event.type === 'tool-start') this.begunCalls.set(event.toolCallId, event.stepId);
  }

  private async finish(recorder: RunRecorder, failure: unknown): Promise<void> {
    const now = Date.now();
    const { open } = recorder;
    for (const event of closingEvents(open, now)) void recorder.emit(event);
    const { outcome, error } = this.ending(failure, open);
    const durationMs = Math.max(0, now - (this.run.startedAt ?? this.run.createdAt));
    await recorder.end({ type: 'end', outcome, ...(error && { error }), usage: this.usage, durationMs });
    const { id: runId, threadId } = this.run;
    this.logger.log({ runId, threadId, outcome, durationMs, tokens: this.usage.totalTokens }, 'run ended');
  }

  private ending(failure: unknown, { approvals }: OpenItems): { outcome: RunOutcome; error?: PublicError } {
    if (this.stopped?.why === 'cancelled') return { outcome: 'cancelled' };
    const cause = this.stopped?.why === 'limit' ? this.stopped.error : failure;
    if (cause === undefined) return { outcome: approvals.length > 0 ? 'awaiting-approval' : 'completed' };
    this.logger.warn({ err: cause, runId: this.run.id, threadId: this.run.threadId }, 'The run failed.');
    return {
      outcome: 'failed',
      error: toPublicError(cause, { code: 'RUN_FAILED', message: 'The agent failed.' }),
    };
  }

  private publish(events: readonly RecordedEvent[]): void {
    this.tools.recent.add(this.run.id, events);
    this.tools.wakeups.notify(this.topic);
    this.tools.hooks?.recorded(this.run, events);
  }

  private async checkCancelled(): Promise<void> {
    try {
      const run = await this.tools.runs.get(this.run.id);
      if (run?.cancelRequested) this.cancel();
    } catch {
      // The next renewal of the lease tells it again.
    }
  }

  private stop(stop: Stop): void {
    if (this.stopped) return;
    this.stopped = stop;
    this.abort.abort(new DOMException(`The run was stopped: ${stop.why}.`, 'AbortError'));
  }

  private abortedAndGraceOver(): Promise<undefined> {
    return new Promise((resolve) => {
      this.abort.signal.addEventListener('abort', () => setTimeout(resolve, STOP_GRACE_MS), { once: true });
    });
  }
}

/** What the agent throws, also before its first await; undefined when it completes. */
async function failureOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error('The agent threw nothing that says why.');
  }
}

/**
 * True when the agent could not reach what it remembers. That is no failure of the agent: as with a log that cannot be written,
 * whoever has the run next goes on from what is stored.
 */
function isStorageAway(failure: unknown): boolean {
  return failure instanceof AppError && failure.code === 'STORAGE_FAILED' && failure.retryable;
}

function outOfTime(limits: RunLimits): AppError {
  return new AppError(
    'RUN_LIMIT',
    `This run reached its limit of ${Math.round(limits.wallClockMs / 1000)} seconds.`,
  );
}
