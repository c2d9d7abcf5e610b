import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { ItemStore } from '../agents/item.store.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { SecurityLog } from '../security/security-log.service.js';
import { Switches } from '../switches/switches.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { InputExpiry } from './input-expiry.js';
import { InputService } from './input.service.js';
import { MessageService, type MessageServiceOptions } from './message.service.js';
import { ErasureService } from './erasure.service.js';
import { EventLog } from './event-log.js';
import { GroupCommit } from './group-commit.js';
import { Prices, type PriceTable } from './prices.js';
import { FeedbackService } from './feedback.service.js';
import { FileService, type FileRules } from './file.service.js';
import { PresentRoles, type FindRoles } from './present-roles.js';
import { BlobStore } from './blob.store.js';
import { EventCache } from './event.cache.js';
import { ReplacedText } from './replaced-text.js';
import { Retention } from './retention.js';
import { DEFAULT_RETENTION, RetentionService, type RetentionOptions } from './retention.service.js';
import { DEFAULT_WORKER_OPTIONS, RunWorker } from './run.worker.js';
import { RunFeed } from './run.feed.js';
import { RunOversightService } from './run-oversight.service.js';
import { DEFAULT_FILE_LIMITS, DEFAULT_UPLOAD_RULES } from './run-files.js';
import { RunHookCalls, type RunHooks } from './run.hooks.js';
import { DEFAULT_LIMITS, type RunLimits } from './run-limits.js';
import { DEFAULT_START_RULES, RunService, type RunServiceOptions } from './run.service.js';
import { RunStore } from './run.store.js';
import { RunsLifecycle } from './runs-lifecycle.service.js';
import { SpendingService } from './spending.service.js';
import { StartBudget } from './start.budget.js';
import { ThreadTitles } from './thread-titles.js';
import { ThreadCopyService } from './thread-copy.service.js';
import { ThreadService } from './thread.service.js';
import { Wakeups } from './wakeups.js';

export interface RunsModuleOptions
  extends
    Partial<Pick<RunServiceOptions, 'whenBusy' | 'maxMessageBytes' | 'maxDelayedRunsPerPrincipal'>>,
    Pick<MessageServiceOptions, 'steering'> {
  readonly approvals?: { readonly whenAwaiting?: RunServiceOptions['whenAwaiting'] };
  readonly maxConcurrentRuns?: number;
  readonly maxRunsPerPrincipal?: number | undefined;
  readonly limits?: Partial<RunLimits>;
  readonly prices?: PriceTable;
  readonly hooks?: RunHooks;
  /** Functions that find the present roles of a principal; the first one that knows it decides. */
  readonly findRoles?: readonly FindRoles[];
  readonly retention?: Partial<RetentionOptions>;
  readonly files?: Partial<FileRules>;
  readonly titles?: 'first-line' | 'model';
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: RUNS_OPTIONS } =
  new ConfigurableModuleBuilder<RunsModuleOptions>({ moduleName: 'Runs' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Runs and threads: starting, executing, following, deciding, forgetting. Needs the modules of the storage, the agents, the tools,
 * the switches, the limits and the telemetry among its imports. `RunsLifecycle` starts and stops what works by itself.
 */
@Module({
  providers: [
    {
      provide: PresentRoles,
      inject: [RUNS_OPTIONS],
      useFactory: ({ findRoles }: RunsModuleOptions) => new PresentRoles(findRoles),
    },
    ErasureService,
    EventCache,
    {
      provide: FileService,
      inject: [BlobStore, RUNS_OPTIONS],
      useFactory: (blobs: BlobStore, { files }: RunsModuleOptions) =>
        new FileService(blobs, { ...DEFAULT_FILE_LIMITS, ...DEFAULT_UPLOAD_RULES, ...files }),
    },
    ThreadService,
    ThreadCopyService,
    InputService,
    InputExpiry,
    RunFeed,
    RunsLifecycle,
    RunOversightService,
    SpendingService,
    {
      provide: FeedbackService,
      inject: [RunStore, RunService, RunHookCalls, Telemetry],
      useFactory: (runs: RunStore, service: RunService, hooks: RunHookCalls, { metrics }: Telemetry) =>
        new FeedbackService(runs, service, hooks, metrics),
    },
    {
      provide: Prices,
      inject: [RUNS_OPTIONS],
      useFactory: ({ prices }: RunsModuleOptions) => new Prices(prices),
    },
    {
      provide: RunService,
      inject: [
        RunStore,
        RunWorker,
        Wakeups,
        AgentRegistry,
        StartBudget,
        RUNS_OPTIONS,
        Switches,
        Telemetry,
        FileService,
      ],
      useFactory: (
        runs: RunStore,
        executor: RunWorker,
        wakeups: Wakeups,
        agents: AgentRegistry,
        budget: StartBudget,
        { whenBusy, approvals, maxMessageBytes, maxDelayedRunsPerPrincipal, hooks }: RunsModuleOptions,
        switches: Switches,
        telemetry: Telemetry,
        files: FileService,
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
            telemetry,
            files,
            ...(maxMessageBytes !== undefined && { maxMessageBytes }),
            ...(maxDelayedRunsPerPrincipal !== undefined && { maxDelayedRunsPerPrincipal }),
            ...(hooks && { beforeRun: (request) => hooks.beforeRun?.(request) }),
          },
          budget,
        ),
    },
    {
      provide: MessageService,
      inject: [RunService, RunStore, Wakeups, AgentRegistry, RUNS_OPTIONS, Switches],
      useFactory: (
        service: RunService,
        runs: RunStore,
        wakeups: Wakeups,
        agents: AgentRegistry,
        { steering, maxMessageBytes, hooks }: RunsModuleOptions,
        switches: Switches,
      ) =>
        new MessageService(service, runs, wakeups, agents, {
          switches,
          ...(steering !== undefined && { steering }),
          ...(maxMessageBytes !== undefined && { maxMessageBytes }),
          ...(hooks && { beforeRun: (request) => hooks.beforeRun?.(request) }),
        }),
    },
    {
      provide: RunHookCalls,
      inject: [RUNS_OPTIONS, Telemetry],
      useFactory: ({ hooks }: RunsModuleOptions, { metrics }: Telemetry) => new RunHookCalls(hooks, metrics),
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
        Telemetry,
        Prices,
        BlobStore,
      ],
      useFactory: createWorker,
    },
    {
      provide: RetentionService,
      inject: [Retention, ItemStore, RunStore, EventLog, EventCache, RUNS_OPTIONS, BlobStore],
      useFactory: (
        retention: Retention,
        items: ItemStore,
        runs: RunStore,
        log: EventLog,
        recent: EventCache,
        options: RunsModuleOptions,
        blobs: BlobStore,
      ) =>
        new RetentionService(
          { retention, items, blobs, runs, log, recent },
          { ...DEFAULT_RETENTION, ...options.retention },
        ),
    },
  ],
  exports: [
    RunService,
    RunFeed,
    ThreadService,
    ThreadCopyService,
    ErasureService,
    FileService,
    InputService,
    MessageService,
    RunsLifecycle,
    RunOversightService,
    SpendingService,
    FeedbackService,
  ],
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
  telemetry: Telemetry,
  prices: Prices,
  blobs: BlobStore,
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
      commits: new GroupCommit(log, undefined, telemetry.metrics),
      limits,
      blobs,
      fileLimits: { ...DEFAULT_FILE_LIMITS, ...options.files },
      prices,
      hooks,
      roles,
      security,
      switches,
      telemetry,
      replaced: new ReplacedText({ retention, log, recent }),
      ...(options.titles === 'model' && { titles: new ThreadTitles({ runs, prices, telemetry }) }),
    },
    {
      ...DEFAULT_WORKER_OPTIONS,
      maxConcurrentRuns,
      ...(maxRunsPerPrincipal !== undefined && { maxRunsPerPrincipal }),
    },
  );
}
