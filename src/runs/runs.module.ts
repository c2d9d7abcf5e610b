import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { ItemStore } from '../agents/item.store.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { SecurityLog } from '../security/security-log.service.js';
import { Switches } from '../switches/switches.js';
import { InputExpiry } from './input-expiry.js';
import { InputService } from './input.service.js';
import { EventLog } from './event-log.js';
import { GroupCommit } from './group-commit.js';
import { PresentRoles, type FindRoles } from './present-roles.js';
import { EventCache } from './event.cache.js';
import { ReplacedText } from './replaced-text.js';
import { Retention } from './retention.js';
import { DEFAULT_RETENTION, RetentionService, type RetentionOptions } from './retention.service.js';
import { DEFAULT_WORKER_OPTIONS, RunWorker } from './run.worker.js';
import { RunFeed } from './run.feed.js';
import { RunHookCalls, type RunHooks } from './run.hooks.js';
import { DEFAULT_LIMITS, type RunLimits } from './run-limits.js';
import { DEFAULT_START_RULES, RunService, type RunServiceOptions } from './run.service.js';
import { RunStore } from './run.store.js';
import { RunsLifecycle } from './runs-lifecycle.service.js';
import { StartBudget } from './start.budget.js';
import { ThreadService } from './thread.service.js';
import { Wakeups } from './wakeups.js';

export interface RunsModuleOptions extends Partial<Pick<RunServiceOptions, 'whenBusy' | 'maxMessageBytes'>> {
  readonly approvals?: { readonly whenAwaiting?: RunServiceOptions['whenAwaiting'] };
  readonly maxConcurrentRuns?: number;
  readonly maxRunsPerPrincipal?: number | undefined;
  readonly limits?: Partial<RunLimits>;
  readonly hooks?: RunHooks;
  /** Functions that find the present roles of a principal; the first one that knows it decides. */
  readonly findRoles?: readonly FindRoles[];
  readonly retention?: Partial<RetentionOptions>;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: RUNS_OPTIONS } =
  new ConfigurableModuleBuilder<RunsModuleOptions>({ moduleName: 'Runs' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Runs and threads: starting, executing, following, deciding, forgetting. Needs the modules of the storage, the agents, the tools,
 * the switches and the limits among its imports. `RunsLifecycle` starts and stops what works by itself.
 */
@Module({
  providers: [
    {
      provide: PresentRoles,
      inject: [RUNS_OPTIONS],
      useFactory: ({ findRoles }: RunsModuleOptions) => new PresentRoles(findRoles),
    },
    EventCache,
    ThreadService,
    InputService,
    InputExpiry,
    RunFeed,
    RunsLifecycle,
    {
      provide: RunService,
      inject: [RunStore, RunWorker, Wakeups, AgentRegistry, StartBudget, RUNS_OPTIONS, Switches],
      useFactory: (
        runs: RunStore,
        executor: RunWorker,
        wakeups: Wakeups,
        agents: AgentRegistry,
        budget: StartBudget,
        { whenBusy, approvals, maxMessageBytes, hooks }: RunsModuleOptions,
        switches: Switches,
      ) =>
        new RunService(
          runs,
          executor,
          wakeups,
          agents,
          {
            whenBusy: whenBusy ?? DEFAULT_START_RULES.whenBusy,
            whenAwaiting: approvals?.whenAwaiting ?? DEFAULT_START_RULES.whenAwaiting,
            switches,
            ...(maxMessageBytes !== undefined && { maxMessageBytes }),
            ...(hooks && { beforeRun: (request) => hooks.beforeRun?.(request) }),
          },
          budget,
        ),
    },
    {
      provide: RunHookCalls,
      inject: [RUNS_OPTIONS],
      useFactory: ({ hooks }: RunsModuleOptions) => new RunHookCalls(hooks),
    },
    {
      provide: RunWorker,
      inject: [
        AgentRegistry,
        RunStore,
        EventLog,
        Wakeups,
        EventCache,
        RunHookCalls,
        PresentRoles,
        SecurityLog,
        RUNS_OPTIONS,
        Switches,
        Retention,
      ],
      useFactory: createWorker,
    },
    {
      provide: RetentionService,
      inject: [Retention, ItemStore, EventLog, EventCache, RUNS_OPTIONS],
      useFactory: (
        retention: Retention,
        items: ItemStore,
        log: EventLog,
        recent: EventCache,
        options: RunsModuleOptions,
      ) =>
        new RetentionService(
          { retention, items, log, recent },
          { ...DEFAULT_RETENTION, ...options.retention },
        ),
    },
  ],
  exports: [RunService, RunFeed, ThreadService, InputService, RunsLifecycle],
})
export class RunsModule extends ConfigurableModuleClass {}

function createWorker(
  agents: AgentRegistry,
  runs: RunStore,
  log: EventLog,
  wakeups: Wakeups,
  recent: EventCache,
  hooks: RunHookCalls,
  roles: PresentRoles,
  security: SecurityLog,
  options: RunsModuleOptions,
  switches: Switches,
  retention: Retention,
): RunWorker {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { maxConcurrentRuns = DEFAULT_WORKER_OPTIONS.maxConcurrentRuns, maxRunsPerPrincipal } = options;
  return new RunWorker(
    agents,
    {
      runs,
      log,
      wakeups,
      recent,
      commits: new GroupCommit(log),
      limits,
      hooks,
      roles,
      security,
      switches,
      replaced: new ReplacedText({ retention, log, recent }),
    },
    {
      ...DEFAULT_WORKER_OPTIONS,
      maxConcurrentRuns,
      ...(maxRunsPerPrincipal !== undefined && { maxRunsPerPrincipal }),
    },
  );
}
