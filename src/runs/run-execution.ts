import { Logger } from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import type { RunTelemetry } from '../telemetry/run-telemetry.js';
import { performAgentWork } from './agent-work.js';
import { readContinuation } from './continuation.js';
import type { ExecutionDeps } from './execution-deps.js';
import { closingEvents, type OpenItems } from './open-items.js';
import { openingEvents, type Acquisition } from './opening-events.js';
import { Prices } from './prices.js';
import type { Run } from './run.js';
import { findExceeded } from './run-limits.js';
import { toEnding } from './run-ending.js';
import { RunInbox } from './run-inbox.js';
import { RunProgress } from './run-progress.js';
import { deleteRolledBack } from './rolled-back.js';
import { hasWaiting } from './run-messages.js';
import { RunRecorder } from './run.recorder.js';
import { beginTelemetry, countEnd } from './run-measures.js';
import { RunSources } from './run-sources.js';
import { RunStop } from './run-stop.js';
import { createTimeLimitError, isStorageAway } from './run.errors.js';
import { toSaidText } from './spoken-text.js';
import type { WakeupTopic } from './wakeups.js';

const NO_PRICES = new Prices();

/**
 * One owner's work on one run, from when it has the run until the run ends or goes to another owner. It goes through these states:
 *
 * 1. taking up (`takeUp`): it reads what earlier owners have recorded, and emits its opening events;
 * 2. at work (`work`): the agent runs. It stops for its first `RunStop` reason, or because it is done;
 * 3. then one of these: *ended* (`end`: the `end` event is durable), *given back* (`giveBack`: others may claim the run at once), or
 *    *left* (`leave`: another owner has it, or will have it when its lease is over).
 */
export class RunExecution {
  private readonly logger = new Logger(RunExecution.name);
  /** Made once: it is notified at every commit. */
  private readonly topic: WakeupTopic;
  private readonly stop = new RunStop();
  private readonly sources: RunSources;
  private readonly progress: RunProgress;
  private readonly inbox: RunInbox;
  private recorder: RunRecorder | undefined;
  private telemetry: RunTelemetry | undefined;
  private handBackAtBoundary = false;

  constructor(
    private readonly run: Run,
    private readonly agent: Agent | undefined,
    private readonly deps: ExecutionDeps,
    private readonly acquisition: Acquisition,
  ) {
    this.topic = `log:${run.id}`;
    this.sources = new RunSources(run, deps, { isNewThread: acquisition.isNewThread ?? false });
    this.inbox = new RunInbox(run, deps.runs);
    this.progress = new RunProgress(this.sources, this.inbox);
  }

  /**
   * Runs the agent and records what it emits. Resolves when this process is done with the run; never rejects. `settled`: the run has
   * ended, or was given back. `left`: as far as this process knows, neither has happened.
   */
  async perform(): Promise<'settled' | 'left'> {
    const stopListening = this.deps.wakeups.listen(`control:${this.run.id}`, () => void this.checkControl());
    this.limitTime(this.deps.limits.maxMs);
    if (this.run.lastSeq === 0) this.deps.recent.begin(this.run.id);
    this.telemetry = beginTelemetry(this.run, this.deps, {
      acquisition: this.acquisition,
      agent: this.agent,
      signal: this.stop.signal,
    });
    try {
      const recorder = await this.takeUp();
      const failure = await this.work(recorder);
      if (isStorageAway(failure)) this.lose();
      // From here on a lost lease changes nothing: one whose renewal crosses the end cannot be renewed, and is not lost.
      const ended = this.mayEnd ? await this.endOrGoOn(recorder, failure) : 'lost';
      if (ended === 'ended') return 'settled';
      // The next owner takes the message, and this process may be that.
      const goesOn = ended === 'message-waits' || this.stop.reason?.why === 'handed-back';
      return goesOn ? await this.giveBack(recorder) : this.leave(recorder, failure);
    } catch (error) {
      // The storage failed: the run's next owner goes on, this process or another.
      this.logger.error({ err: error, runId: this.run.id }, 'The run is left to its next owner.');
      this.forgetEvents();
      return 'left';
    } finally {
      this.stop.clearTimer();
      stopListening();
      // Does nothing after `end`, which has told how the run ended.
      this.telemetry?.end({ outcome: this.stop.reason?.why ?? 'left' });
    }
  }

  /** Ends the run as cancelled. The abort of their signal tells model and tools. */
  cancel(): void {
    this.stop.request({ why: 'cancelled' });
  }

  /** Ends the run as failed, when an operator has switched off its agent or its principal. */
  checkSwitches(): void {
    const error = this.deps.switches?.refuseRun(this.run);
    if (error) this.stop.request({ why: 'switched-off', error });
  }

  /** Ends the run as failed, for something that its agent has begun and does not await. */
  fail(error: unknown): void {
    const { id: runId, threadId } = this.run;
    const cause = error ?? new Error('A promise that was not awaited was rejected without a reason.');
    this.logger.error({ err: cause, runId, threadId }, 'A promise of the run was rejected and not handled.');
    this.stop.request({ why: 'failed', error: cause });
  }

  /** Describes the work in progress: the run, and the steps that are open, or else the last one. For the operator's log. */
  describe(): { readonly runId: string; readonly agent: string; readonly steps: readonly string[] } {
    const { id: runId, agent } = this.run;
    const { lastStep } = this.progress;
    const open = this.recorder?.open.steps ?? [];
    const last = lastStep === undefined ? [] : [lastStep];
    return { runId, agent, steps: open.length > 0 ? open.map(({ name }) => name) : last };
  }

  /** Lets the agent take the messages to the run. */
  wakeInbox(): void {
    this.inbox.wake();
  }

  /** Stops without writing anything more: another owner has the run. */
  lose(): void {
    this.stop.request({ why: 'lost' });
  }

  /** Gives the run back: at its next step boundary, or `now`. */
  handBack(when: 'at-boundary' | 'now'): void {
    if (when === 'now') this.stop.request({ why: 'handed-back' });
    else this.handBackAtBoundary = true;
  }

  /** Returns a recorder that stands where the log ends and has the opening events of this owner. */
  private async takeUp(): Promise<RunRecorder> {
    const { deps, run, acquisition, progress } = this;
    await deleteRolledBack(run, deps);
    progress.continueFrom(await readContinuation(run, deps));
    const { open, begunAt } = await progress.recall(run, deps.log);
    // The clock of the process that began it may be ahead of this one's.
    if (begunAt !== undefined) this.limitTime(deps.limits.maxMs - Math.max(0, Date.now() - begunAt));
    const recorder = this.createRecorder(open);
    this.recorder = recorder;
    const { answered, attempt } = progress;
    const opening = openingEvents(run, { ...acquisition, open, answered, attempt });
    for (const event of opening) void recorder.emit(event);
    // A storage that takes no more has taken nothing of the last owner's end either: no model is asked before it does again.
    if (run.lastSeq > 0) await recorder.flush();
    return recorder;
  }

  private createRecorder(open: OpenItems): RunRecorder {
    const { id: runId, threadId, epoch, lastSeq } = this.run;
    return new RunRecorder(
      {
        runId,
        threadId,
        epoch,
        lastSeq,
        open,
        onCommitted: (events) => this.publish(events),
        onLost: (reason) => {
          if (reason !== 'fenced')
            this.logger.error({ err: reason, runId }, 'The events of the run could not be stored.');
          this.forgetEvents();
          this.lose();
        },
      },
      this.deps.commits,
    );
  }

  /** Lets the agent work. Resolves with what it threw, or undefined; at the latest a moment after the execution was stopped. */
  private async work(recorder: RunRecorder): Promise<unknown> {
    const { run, agent, acquisition, progress, sources, stop } = this;
    if (run.cancelRequested) this.cancel();
    this.checkSwitches();
    if (stop.reason) return undefined;
    // Listens first: an agent can reach a limit before it waits for anything.
    const stopped = stop.settled();
    const task = {
      run,
      agent,
      acquisition,
      progress,
      inbox: this.inbox,
      sources,
      signal: stop.signal,
      telemetry: this.telemetry,
      emit: (event: RunEvent) => this.emit(recorder, event),
      atWork: this,
    };
    return Promise.race([performAgentWork(task, recorder, this.deps), stopped]);
  }

  private emit(recorder: RunRecorder, emitted: RunEvent): void | Promise<void> {
    if (this.stop.reason) return;
    const event = emitted.type === 'usage' ? (this.deps.prices ?? NO_PRICES).charge(emitted) : emitted;
    this.progress.note(event);
    const waiting = recorder.emit(event);
    const error = findExceeded(this.progress.spent, this.deps.limits);
    if (error) this.stop.request({ why: 'limit', error });
    // After this turn: a step that corrects the output of another ends that one once more before it ends itself.
    if (this.handBackAtBoundary && event.type === 'step-end')
      queueMicrotask(() => this.stop.request({ why: 'handed-back' }));
    return waiting;
  }

  private get mayEnd(): boolean {
    const why = this.stop.reason?.why;
    return why !== 'lost' && why !== 'handed-back';
  }

  /** Ends the run, unless a message waits for it that its agent will take. */
  private async endOrGoOn(recorder: RunRecorder, failure: unknown): ReturnType<RunRecorder['end']> {
    const ended = await this.end(recorder, failure);
    if (ended !== 'message-waits' || (this.agent?.isSteerable && !this.inbox.wasIgnored)) return ended;
    await this.inbox.take();
    return this.end(recorder, failure);
  }

  /** Emits the run's last events. Resolves once they are durable, or refused. */
  private async end(recorder: RunRecorder, failure: unknown): ReturnType<RunRecorder['end']> {
    await this.inbox.leave();
    const now = Date.now();
    const { open } = recorder;
    const { outcome, error, cause } = toEnding(this.stop.reason, failure, open);
    const { id: runId, threadId } = this.run;
    if (error) this.logger.warn({ err: cause, runId, threadId }, 'The run failed.');
    for (const event of closingEvents(open, now, outcome)) void recorder.emit(event);
    const { usage } = this.progress;
    const durationMs = Math.max(0, now - (this.run.startedAt ?? this.run.createdAt));
    const finishReason = outcome === 'completed' ? this.progress.finishReason : undefined;
    const why = { ...(error && { error }), ...(finishReason && { finishReason }) };
    const said = toSaidText(this.run, this.progress.spoken.toString());
    const ending = () => recorder.end({ type: 'end', outcome, ...why, usage, durationMs }, said);
    const ended = await (this.telemetry?.commit(ending) ?? ending());
    if (ended !== 'ended') return ended;
    this.telemetry?.end({ outcome, ...(error && { error }) });
    countEnd(this.run, { outcome, usage }, this.deps);
    this.logger.log({ runId, threadId, outcome, durationMs, tokens: usage.totalTokens }, 'run ended');
    if (this.progress.hasReplaced) this.deps.replaced?.deleteSoon(runId);
    if (outcome === 'completed') this.deps.titles?.nameSoon(this.run, this.agent, said);
    return ended;
  }

  /** Releases the run, so that others may claim it at once. */
  private async giveBack(recorder: RunRecorder): Promise<'settled'> {
    await recorder.flush();
    recorder.abandon();
    this.forgetEvents();
    await this.deps.runs.release({ runId: this.run.id, epoch: this.run.epoch });
    this.deps.wakeups.notify('pending');
    return 'settled';
  }

  /** Writes nothing more: the run's next owner goes on from what is stored. */
  private leave(recorder: RunRecorder, failure: unknown): 'left' {
    if (isStorageAway(failure))
      this.logger.error({ err: failure, runId: this.run.id }, 'The run is left to its next owner.');
    recorder.abandon();
    this.forgetEvents();
    return 'left';
  }

  /** Sends the readers here to the storage: the log goes on under another owner. Their wakeups may have come too early. */
  private forgetEvents(): void {
    this.deps.recent.forget(this.run.id);
    this.deps.wakeups.notify(this.topic);
  }

  private publish(events: readonly RecordedEvent[]): void {
    this.deps.telemetry?.commits?.committed(this.run.id);
    this.deps.recent.add(this.run.id, events);
    this.deps.wakeups.notify(this.topic);
    this.deps.hooks?.recorded(this.run, events);
  }

  private limitTime(ms: number): void {
    this.stop.requestAfter(ms, () => ({ why: 'limit', error: createTimeLimitError(this.deps.limits) }));
  }

  private async checkControl(): Promise<void> {
    try {
      const run = await this.deps.runs.get(this.run.id);
      if (run?.cancelRequested) this.cancel();
      if (hasWaiting(run?.messages)) this.wakeInbox();
    } catch {
      // The next renewal of the lease tells it again.
    }
  }
}
