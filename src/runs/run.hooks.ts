import { Logger } from '@nestjs/common';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd } from '../events/run-event.js';
import type { Run } from './run.js';
import type { StartRun } from './run.service.js';

/** Where a host takes part in a run. All of them are optional. */
export interface RunHooks {
  /**
   * Before a run is stored: policy and enrichment. Called in the request that asks for it, for a repeated request too. What it
   * throws refuses the run before any stream: an AppError or an HttpException as it is, anything else as an internal error.
   *
   * @returns what to change of the request; nothing: it stays as it is
   */
  beforeRun?(request: StartRun): RunChanges | void | Promise<RunChanges | void>;

  /**
   * Around an agent's work, for the async-local context that its tools are to find: call `work` inside it and return its
   * promise. The work is done outside the request, perhaps by another process, and again after a takeover: what it needs of the
   * request, `beforeRun` puts into the metadata. What it throws ends the run as `failed`.
   */
  aroundRun?(run: Run, work: () => Promise<void>): Promise<void>;

  /**
   * On each event once it is recorded, in order: for audit and metrics. Nobody waits for it, and what it throws is logged. Called by
   * the process that records, at most once: an audit that may not miss anything reads the log.
   */
  onEvent?(event: RecordedEvent, run: Run): void | Promise<void>;

  /** After the run's end is recorded, under the same terms as `onEvent`. A shutdown waits for it as long as it drains. */
  afterRun?(run: Run, end: RunEnd): void | Promise<void>;
}

/** Other values for these fields of a request; what is absent stays. */
export type RunChanges = Partial<Pick<StartRun, 'message' | 'agent' | 'metadata'>>;

/** Calls the hooks of a host so that nothing they do can hold up or break a run. */
export class RunHookCalls {
  private readonly logger = new Logger('RunHooks');
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly hooks: RunHooks = {}) {}

  /** @throws what the agent or the hook throws */
  async around(run: Run, work: () => Promise<void>): Promise<void> {
    const { hooks } = this;
    if (!hooks.aroundRun) return work();
    let called = false;
    await hooks.aroundRun(run, () => {
      called = true;
      return work();
    });
    if (!called) throw new Error('hooks.aroundRun has not called its work: call it, and return its promise.');
  }

  /** These events are in the log now. Returns before any hook is called: readers come first. */
  recorded(run: Run, events: readonly RecordedEvent[]): void {
    const { hooks } = this;
    if (!hooks.onEvent && !hooks.afterRun) return;
    const told = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.tell(run, events));
    this.underWay.add(told);
    void told.then(() => this.underWay.delete(told));
  }

  /** Resolves when no hook is under way, or when the time is over. */
  async settled(withinMs: number): Promise<void> {
    if (this.underWay.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(this.underWay), late]);
    clearTimeout(timer);
  }

  private async tell(run: Run, events: readonly RecordedEvent[]): Promise<void> {
    const { hooks } = this;
    await Promise.all(
      events.flatMap((recorded) => {
        const { event } = recorded;
        const onEvent = this.call('onEvent', run, () => hooks.onEvent?.(recorded, run));
        return event.type === 'end'
          ? [onEvent, this.call('afterRun', run, () => hooks.afterRun?.(run, event))]
          : [onEvent];
      }),
    );
  }

  private async call(
    name: keyof RunHooks,
    { id: runId }: Run,
    hook: () => void | Promise<void>,
  ): Promise<void> {
    try {
      await hook();
    } catch (error) {
      this.logger.error({ err: error, runId }, `hooks.${name} failed; the run is not affected.`);
    }
  }
}
