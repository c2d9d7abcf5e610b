import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import type { AgentStore, StoreOptions } from '../agents/agent-store.js';
import type { Agent } from '../agents/agent.js';
import type { AuthOptions } from '../auth/auth.options.js';
import type { BrandOptions } from '../brand.js';
import type { RouteVersion } from '../http/place-controller.js';
import type { PriceTable } from '../runs/prices.js';
import type { FileRules } from '../runs/file.service.js';
import type { RetentionOptions } from '../runs/retention.service.js';
import type { RunHooks } from '../runs/run.hooks.js';
import type { RunLimits } from '../runs/run-limits.js';
import type { Storage } from '../storage/storage.js';
import type { TelemetryOptions } from '../telemetry/telemetry.options.js';
import type { ThrottlingOptions } from '../throttling/throttling.options.js';
import type { McpServerOptions } from '../tools/mcp/mcp.options.js';
import type { ApprovalDefaults } from '../tools/approval.policy.js';
import type { TaintOptions } from '../tools/taint.policy.js';
import type { ToolConcurrency } from '../tools/tool-call-slots.js';
import type { ToolRegistry } from '../tools/tool.registry.js';
import type { ToolTrackingService } from '../tools/tool-tracking.service.js';

/** The parts of an agent beside its model. */
export interface AgentKit {
  readonly tools: ToolRegistry;
  readonly tracking: ToolTrackingService;
  readonly checkpointer: Storage['checkpointer'];
  /** What graphs keep beyond a thread, by the `store` of the module. */
  readonly store: AgentStore;
}

export interface ChatModuleOptions {
  /** The storage of runs, logs, threads and checkpoints. Opened at start and closed at shutdown by the module. */
  readonly storage: Storage;
  /** Makes the agents, once all tools are known. The first one answers when a request names none. */
  readonly agents: (kit: AgentKit) => readonly Agent[] | Promise<readonly Agent[]>;
  /** Ways for callers to prove who they are. */
  readonly auth: AuthOptions;
  /**
   * Every role that a caller can have. With it, an agent or tool for another role stops the start. Default: what `auth` itself
   * says, which for tokens and hosts is nothing.
   */
  readonly roles?: readonly string[];
  /** Default: 60 starts per minute and 20 open streams, per principal. */
  readonly throttling?: ThrottlingOptions;
  /** Rules for what graphs keep beyond a thread. Default: an item is seen by the user whose run has put it, and stays. */
  readonly store?: StoreOptions;
  /** Limits of one run. What is absent has its default. */
  readonly limits?: Partial<RunLimits>;
  /**
   * The longest message, in bytes of UTF-8; beyond it REQUEST_TOO_LARGE, in every protocol. Default 256 KiB. What a whole request
   * may take is the host's to say: clients of some protocols send their conversation with every turn.
   */
  readonly maxMessageBytes?: number;
  /** MCP servers whose tools the agents get. Default: none. Needs the package @modelcontextprotocol/sdk. */
  readonly mcp?: readonly McpServerOptions[];
  /** Prices of models, by which each model call has a cost. Default: only tokens are counted. */
  readonly prices?: PriceTable;
  /** Functions of the host that take part in each run: policy, context, audit. Default: nowhere. */
  readonly hooks?: RunHooks;
  /**
   * Traces and metrics by OpenTelemetry. They need the package @opentelemetry/api, and an SDK that the host has registered before it
   * creates the module; without either, nothing is measured.
   */
  readonly telemetry?: TelemetryOptions;
  /** Rules for how long conversations are kept, and in how much detail. Default: for ever, and compacted an hour after a run's end. */
  readonly retention?: Partial<RetentionOptions>;
  /**
   * Limits of the files of messages, and of those that models and tools make. Default: 10 MiB for a file, 1 GiB for all files of an owner. A file of a model
   * beyond a limit is not stored; the log says that it is missing. A message may have images, PDF, audio and text, as far as its agent takes them. `url`: URL of the route that serves files, for protocols that name a file by URL. Default: the path of
   * the module and `/files`; set it if the host puts a prefix before our routes, or if clients are on another host.
   */
  readonly files?: Partial<FileRules> & { readonly url?: string };
  /**
   * True if this process works on runs. Default true. False for one that only answers requests, in front of others that share its
   * storage; it still needs the agents, to know which there are.
   */
  readonly worker?: boolean;
  /** Runs at a time in this process. Default 50; more wait. */
  readonly maxConcurrentRuns?: number;
  /**
   * Runs of one principal at a time, in all processes that share the storage; more wait. Default: half of `maxConcurrentRuns`, and
   * no limit with `auth.kind: 'local'`, where everybody is one principal. Places that are free go to the tenant, and in it to the user,
   * with the fewest runs at work.
   */
  readonly maxRunsPerPrincipal?: number;
  /** Runs of one principal that begin later (`delayMs`), at a time. Default 100; beyond it, such a start gets TOO_MANY_DELAYED. */
  readonly maxDelayedRunsPerPrincipal?: number;
  /** Rule for a start in a thread whose last run has not ended: `reject` (default, THREAD_BUSY) or `queue`. */
  readonly whenBusy?: 'reject' | 'queue';
  /**
   * True if people can send messages to a run that is under way, where its agent takes them (`Agent.isSteerable`). Default true. False: such a message gets
   * RUN_CLOSED, and waits for the run's end.
   */
  readonly steering?: boolean;
  /**
   * Titles of threads: the first line of their first message (`first-line`, default), or a few words by the model of their agent, once that has answered
   * (`model`). A model is asked outside of the run, for each new thread; its tokens are charged to the thread's owner, beside the
   * runs. A name that a person gave stays.
   */
  readonly titles?: 'first-line' | 'model';
  /** The look of the chat page, which it reads with the session. Default: its own. */
  readonly brand?: BrandOptions;
  /** Tool calls that are made at once in this process; further ones wait. Default: 10 of a run, 40 of a principal. */
  readonly parallelToolCalls?: Partial<ToolConcurrency>;
  /** Tool calls that wait for a person. Default: those whose tools say so, for 7 days. */
  readonly approvals?: ApprovalSettings;
  /** Rules for a run whose conversation has read text of strangers. Default: a person decides on calls with effects outside. */
  readonly tainted?: Partial<TaintOptions>;
  /**
   * Callers with one of these roles are operators: they stop agents, tools and callers of every tenant, and accept tools of MCP servers.
   * Take a role that no tenant can give to itself. Default: those of `auth`, or none.
   */
  readonly operatorRoles?: readonly string[];
  /**
   * Callers with one of these roles are operators of their own tenant: they see, cancel and requeue the runs of its users, and see what
   * these cost. Default: none.
   */
  readonly tenantOperatorRoles?: readonly string[];
  /** The longest silence on a stream, in milliseconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /**
   * Time for which a shutdown waits for runs to reach a boundary, and over which it spreads the end of streams, in milliseconds.
   * Default 10,000 ms.
   */
  readonly drainMs?: number;
}

export const DEFAULT_DRAIN_MS = 10_000;

export interface ApprovalSettings extends Partial<ApprovalDefaults> {
  /** Rule for a new message in a thread that waits: `deny` the pending inputs (default), or `reject` the message with INPUT_PENDING. */
  readonly whenAwaiting?: 'deny' | 'reject';
}

export interface ProtocolsOptions {
  /** Default `protocols`: the AI SDK's chat is at `protocols/ai-sdk/chat`. */
  readonly prefix?: string;
}

/** Options that have to be known before all others. */
export interface ChatModuleExtras {
  /** Path of the routes. Default `api/chat`. False: nowhere, in a process that only works on runs. */
  readonly path?: string | false;
  /**
   * Path at which a browser signs in and out. Default `auth/session` beside the routes: `api/auth/session`. False: nowhere, for a
   * host that has a sign-in of its own.
   */
  readonly sessionPath?: string | false;
  /** Serves the client libraries that people have already: each in its own words, below `prefix`. Absent: none of them. */
  readonly protocols?: ProtocolsOptions;
  /**
   * The version of all routes in a host that versions its own. Default `VERSION_NEUTRAL`: the routes take requests of every version
   * and of none, such as those of an EventSource, which cannot send headers.
   */
  readonly version?: RouteVersion;
  /**
   * The security schemes of the host's description of its API, by the names that `addBearerAuth` and its like gave them: any of
   * them lets a caller in. Default: none, and the description asks for nothing but what holds for all of it.
   */
  readonly apiSecurity?: readonly string[];
  /** Providers of the application whose `@AgentTool` methods live in this module. */
  readonly tools?: readonly Provider[];
}

export const {
  ConfigurableModuleClass: ConfigurableChatModule,
  MODULE_OPTIONS_TOKEN: CHAT_OPTIONS,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<ChatModuleOptions>({ moduleName: 'Chat' })
  .setClassMethodName('forRoot')
  .setExtras<ChatModuleExtras>({}, (definition) => definition)
  .build();
