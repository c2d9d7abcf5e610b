import { Logger } from '@nestjs/common';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd } from '../events/run-event.js';
import type { Owner } from '../principal.js';
import type { Metrics } from '../telemetry/metrics.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import type { SecurityEvent } from '../security/security-event.js';
import type { Run } from './run.js';
import type { StartRunRequest } from './run.service.js';

/** Functions of a host that take part in a run. All of them are optional. */
export interface RunHooks {
  /**
   * Before a run is stored: policy and enrichment. Called in the request that asks for it, for a repeated request too. What it
   * throws refuses the run before any stream: an AppError or an HttpException as it is, anything else as an internal error.
   *
   * Called as well for a message to a run that is under way, which `request.steers` names. Of the changes, only that of the message counts then.
   *
   * @returns what to change of the request; nothing: it stays as it is
   */
  beforeRun?(request: StartRunRequest): RunChanges | void | Promise<RunChanges | void>;

  /**
   * Returns the roles that a principal has now; undefined if the host does not know. Asked when a run begins after having waited, is
   * taken over, or goes on after an approval: it has the roles that it had before and that are returned here, and fails with
   * FORBIDDEN when its agent is for none of them. What it throws leaves the run without roles.
   *
   * Default: the roles of the API keys in `auth`. A principal that is unknown keeps those of its start, and after an approval that
   * expired it has none.
   */
  findRoles?(principal: Owner): readonly string[] | undefined | Promise<readonly string[] | undefined>;

  /**
   * Around an agent's work, for the async-local context that its tools are to find: call `work` inside it and return its
   * promise. The work is done outside the request, perhaps by another process, and again after a takeover: what it needs of the
   * request, `beforeRun` puts into the metadata. What it throws ends the run as `failed`.
   */
  aroundRun?(run: Run, work: () => Promise<void>): Promise<void>;

  /**
   * On each event once it is recorded, in order: for audit and metrics. It is not awaited, and its errors are logged. Called by
   * the process that records, at most once: an audit that may not miss anything reads the log.
   */
  onEvent?(event: RecordedEvent, run: Run): void | Promise<void>;

  /** After the run's end is recorded, under the same terms as `onEvent`. A shutdown waits for it as long as it drains. */
  afterRun?(run: Run, end: RunEnd): void | Promise<void>;

  /**
   * On each change of the feedback on a run: `run.feedback` is what its person says now, and absent if they have withdrawn it. For a host's own
   * collection. It is not awaited, and its errors are logged. Called at most once: what may not miss anything reads the operators' export.
   */
  onFeedback?(run: Run): void | Promise<void>;

  /**
   * On each security event that is logged: sign-ins, refusals, decisions, deletions, limits. For a host's own collection of events.
   * It is not awaited, and its errors are logged.
   */
  onSecurityEvent?(event: SecurityEvent): void | Promise<void>;

  /**
   * On each error that one of our routes answers with a status of 500 or above, for a host that collects errors: its own exception
   * filters are not asked. `request` is the framework's. It is not awaited, and its errors are logged.
   */
  onError?(error: unknown, request: object): void | Promise<void>;
}

/** Other values for these fields of a request; what is absent stays. */
export type RunChanges = Partial<
  Pick<StartRunRequest, 'message' | 'agent' | 'metadata' | 'input' | 'context' | 'configurable'>
>;

/** Calls the hooks of a host so that nothing they do can hold up or break a run. */
export class RunHookCalls {
  private readonly logger = new Logger('RunHooks');
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly hooks: RunHooks = {},
    private readonly metrics?: Metrics,
  ) {
    // A first failure is seen as an increase only if there was a value before.
    for (const name of ['onEvent', 'afterRun', 'onFeedback'] as const)
      for (const result of ['ok', 'error'] as const) this.count(name, result, 0);
  }

  /** @throws what the agent or the hook throws */
  async around(run: Run, work: () => Promise<void>): Promise<void> {
    const { hooks } = this;
    if (!hooks.aroundRun) return work();
    let called = false;
    await hooks.aroundRun(run, () => {
      called = true;
      return work();
    });
    if (!called) throw new Error('hooks.aroundRun did not call `work`. Call it, and return its promise.');
  }

  /** These events are in the log now. Returns before any hook is called: readers come first. */
  recorded(run: Run, events: readonly RecordedEvent[]): void {
    const { hooks } = this;
    if (!hooks.onEvent && !hooks.afterRun) return;
    const delivered = new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
      this.callOnEvent(run, events),
    );
    this.track(delivered);
  }

  /** The feedback on this run is another now. */
  feedbackChanged(run: Run): void {
    if (this.hooks.onFeedback) this.track(this.call('onFeedback', run, () => this.hooks.onFeedback?.(run)));
  }

  /** Resolves when no hook is under way, or when the time is over. */
  async settled(withinMs: number): Promise<void> {
    if (this.underWay.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(this.underWay), late]);
    clearTimeout(timer);
  }

  private track(call: Promise<void>): void {
    this.underWay.add(call);
    void call.then(() => this.underWay.delete(call));
  }

  private async callOnEvent(run: Run, events: readonly RecordedEvent[]): Promise<void> {
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
      this.count(name, 'ok');
    } catch (error) {
      this.count(name, 'error');
      this.logger.error({ err: error, runId }, `hooks.${name} failed; the run is not affected.`);
    }
  }

  private count(name: keyof RunHooks, result: 'ok' | 'error', times = 1): void {
    if (this.hooks[name])
      this.metrics?.count('hookCalls', times, { [ATTRIBUTES.hook]: name, [ATTRIBUTES.result]: result });
  }
}
