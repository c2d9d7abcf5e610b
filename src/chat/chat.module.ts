import { Controller, Module, UseFilters, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentRegistry } from '../agents/agent.registry.js';
import { AuthModule } from '../auth/auth.module.js';
import { sessionControllerAt } from '../auth/session.controller.js';
import { AppError } from '../errors.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { DEFAULT_SSE_OPTIONS, SseStreams } from '../http/sse.streams.js';
import { PROTOCOL_PROVIDERS, protocolRoutes } from '../protocols/protocols.js';
import { ApprovalExpiry } from '../runs/approval.expiry.js';
import { ApprovalService } from '../runs/approval.service.js';
import { EventLog } from '../runs/event.log.js';
import { GroupCommit } from '../runs/group-commit.js';
import { RecentEvents } from '../runs/recent.events.js';
import { DEFAULT_RETENTION, RetentionService } from '../runs/retention.service.js';
import { DEFAULT_EXECUTOR_OPTIONS, RunExecutor } from '../runs/run.executor.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunHookCalls } from '../runs/run.hooks.js';
import { DEFAULT_LIMITS } from '../runs/run.limits.js';
import { RunService } from '../runs/run.service.js';
import { RunStore } from '../runs/run.store.js';
import { ThreadMemory, ThreadService } from '../runs/thread.service.js';
import { Wakeups } from '../runs/wakeups.js';
import { Storage } from '../storage/storage.js';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { ApprovalPolicy, DEFAULT_APPROVALS } from '../tools/approval.policy.js';
import { McpServers } from '../tools/mcp/mcp.servers.js';
import { ToolExplorer } from '../tools/tool.explorer.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import { ToolTrackingService } from '../tools/tool-tracking.service.js';
import { ChatController } from './chat.controller.js';
import { ChatLifecycle } from './chat.lifecycle.js';
import { optionFaults } from './chat.faults.js';
import {
  ASYNC_OPTIONS_TYPE,
  CHAT_OPTIONS,
  ConfigurableChatModule,
  OPTIONS_TYPE,
  type ChatModuleExtras,
  type ChatModuleOptions,
} from './chat.options.js';
import { CursorCheck } from './run-reader.js';
import { ThreadsController } from './threads.controller.js';

const DEFAULT_PATH = 'api/chat';

/** What the parts of the storage are called where they are used. */
const STORAGE_PORTS: Provider[] = [
  { provide: Storage, inject: [CHAT_OPTIONS], useFactory: ({ storage }: ChatModuleOptions) => storage },
  { provide: RunStore, inject: [Storage], useFactory: ({ runs }: Storage) => runs },
  { provide: EventLog, inject: [Storage], useFactory: ({ log }: Storage) => log },
  { provide: Wakeups, inject: [Storage], useFactory: ({ wakeups }: Storage) => wakeups },
  {
    provide: ThreadMemory,
    inject: [Storage],
    useFactory: ({ checkpointer }: Storage): ThreadMemory => ({
      forget: (threadId) => checkpointer.deleteThread(threadId),
    }),
  },
];

const TOOLS: Provider[] = [
  ToolRegistry,
  ToolExplorer,
  {
    provide: ApprovalPolicy,
    inject: [CHAT_OPTIONS],
    useFactory: ({ approvals }: ChatModuleOptions) =>
      new ApprovalPolicy({ ...DEFAULT_APPROVALS, ...approvals }),
  },
  ToolTrackingService,
  {
    provide: McpServers,
    inject: [CHAT_OPTIONS, ToolRegistry],
    useFactory: ({ mcp = [] }: ChatModuleOptions, registry: ToolRegistry) => new McpServers(mcp, registry),
  },
];

const RUNS: Provider[] = [
  AgentRegistry,
  RecentEvents,
  {
    provide: RunFeed,
    inject: [EventLog, RecentEvents, Wakeups],
    useFactory: (log: EventLog, recent: RecentEvents, wakeups: Wakeups) => new RunFeed(log, recent, wakeups),
  },
  {
    provide: RunService,
    inject: [RunStore, RunExecutor, Wakeups, AgentRegistry, CHAT_OPTIONS],
    useFactory: (
      runs: RunStore,
      executor: RunExecutor,
      wakeups: Wakeups,
      agents: AgentRegistry,
      { maxMessageBytes, whenBusy = 'reject', approvals, hooks }: ChatModuleOptions,
    ) =>
      new RunService(runs, executor, wakeups, agents, {
        whenBusy,
        whenAwaiting: approvals?.whenMessaged ?? 'deny',
        ...(maxMessageBytes !== undefined && { maxMessageBytes }),
        ...(hooks && { beforeRun: (request) => hooks.beforeRun?.(request) }),
      }),
  },
  ThreadService,
  ApprovalService,
  {
    provide: ApprovalExpiry,
    inject: [RunStore, ApprovalService],
    useFactory: (runs: RunStore, approvals: ApprovalService) => new ApprovalExpiry(runs, approvals),
  },
  {
    provide: RunHookCalls,
    inject: [CHAT_OPTIONS],
    useFactory: ({ hooks }: ChatModuleOptions) => new RunHookCalls(hooks),
  },
  {
    provide: RunExecutor,
    inject: [AgentRegistry, Storage, RecentEvents, RunHookCalls, CHAT_OPTIONS],
    useFactory: executorOf,
  },
  {
    provide: RetentionService,
    inject: [Storage, RecentEvents, ThreadMemory, CHAT_OPTIONS],
    useFactory: (
      { retention, log }: Storage,
      recent: RecentEvents,
      memory: ThreadMemory,
      options: ChatModuleOptions,
    ) =>
      new RetentionService(
        { retention, log, recent, memory },
        { ...DEFAULT_RETENTION, ...options.retention },
      ),
  },
];

const EDGE: Provider[] = [
  {
    provide: SseStreams,
    inject: [CHAT_OPTIONS],
    useFactory: ({ heartbeatMs = DEFAULT_SSE_OPTIONS.heartbeatMs }: ChatModuleOptions) =>
      new SseStreams({ ...DEFAULT_SSE_OPTIONS, heartbeatMs }),
  },
  CursorCheck,
];

/**
 * Agents that can be asked over HTTP and watched live. Registers nothing global: guards, filters and interceptors are bound
 * to its own routes.
 */
@Module({})
export class ChatModule extends ConfigurableChatModule {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return compose(super.forRoot(options), options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return compose(super.forRootAsync(options), options);
  }
}

/** The options, where the parts of the module find them. */
@Module({})
class ChatOptionsModule {}

/** The options before anybody has looked at them. */
const GIVEN_OPTIONS = Symbol('GIVEN_OPTIONS');

function asGiven(provider: Provider): Provider {
  return typeof provider === 'object' && provider.provide === CHAT_OPTIONS
    ? { ...provider, provide: GIVEN_OPTIONS }
    : provider;
}

/** Everything in the module needs the options, so this is where unusable ones are refused. */
function checked(options: ChatModuleOptions): ChatModuleOptions {
  const faults = optionFaults(options);
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
  return options;
}

function compose(
  { imports = [], providers = [] }: DynamicModule,
  { path = DEFAULT_PATH, sessionPath, protocols, tools = [] }: ChatModuleExtras,
): DynamicModule {
  const options: DynamicModule = {
    module: ChatOptionsModule,
    imports,
    providers: [
      ...providers.map(asGiven),
      { provide: CHAT_OPTIONS, inject: [GIVEN_OPTIONS], useFactory: checked },
    ],
    exports: [CHAT_OPTIONS],
  };
  return {
    module: ChatModule,
    imports: [
      options,
      DiscoveryModule,
      AuthModule.forRootAsync({
        imports: [options],
        inject: [CHAT_OPTIONS],
        useFactory: ({ auth }: ChatModuleOptions) => auth,
      }),
      ThrottlingModule.forRootAsync({
        imports: [options],
        inject: [CHAT_OPTIONS],
        useFactory: ({ throttling }: ChatModuleOptions) => throttling ?? {},
      }),
    ],
    controllers: path === false ? [] : controllersAt({ path, sessionPath, protocols }),
    providers: [...STORAGE_PORTS, ...TOOLS, ...RUNS, ...EDGE, ...PROTOCOL_PROVIDERS, ...tools, ChatLifecycle],
    exports: [RunService, ApprovalService, ThreadService, RunFeed, AgentRegistry, ToolRegistry, Storage],
  };
}

function controllersAt({
  path,
  sessionPath = besideChat(path),
  protocols,
}: Omit<ChatModuleExtras, 'path'> & { readonly path: string }): Type<object>[] {
  return [
    at(path, ChatController),
    at(path, ThreadsController),
    ...(sessionPath === false ? [] : [sessionControllerAt(sessionPath, UseFilters(ProblemFilter))]),
    ...(protocols ? protocolRoutes(protocols.prefix).map((route) => at(route.path, route.controller)) : []),
  ];
}

/** Beside the chat, not below it: `api/chat` has its sign-in at `api/auth/session`. */
function besideChat(path: string): string {
  return path.replace(/[^/]+$/, 'auth/session');
}

/** The controller at a path of the caller's choice; a class of its own, because two instances of the module may have two. */
function at(path: string, base: Type<object>): Type<object> {
  const placed = { [base.name]: class extends base {} }[base.name] as Type<object>;
  Controller(path)(placed);
  return placed;
}

function executorOf(
  agents: AgentRegistry,
  storage: Storage,
  recent: RecentEvents,
  hooks: RunHookCalls,
  options: ChatModuleOptions,
): RunExecutor {
  const { runs, log, wakeups } = storage;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const commits = new GroupCommit(log);
  const { maxConcurrentRuns = DEFAULT_EXECUTOR_OPTIONS.maxConcurrentRuns } = options;
  return new RunExecutor(
    agents,
    { runs, log, wakeups, recent, commits, limits, hooks },
    { ...DEFAULT_EXECUTOR_OPTIONS, maxConcurrentRuns },
  );
}
