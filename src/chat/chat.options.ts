import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import type { AuthOptions } from '../auth/auth.options.js';
import type { RetentionOptions } from '../runs/retention.service.js';
import type { RunHooks } from '../runs/run.hooks.js';
import type { RunLimits } from '../runs/run.limits.js';
import type { Storage } from '../storage/storage.js';
import type { ThrottlingOptions } from '../throttling/throttling.options.js';
import type { McpServerOptions } from '../tools/mcp/mcp.options.js';
import type { ApprovalDefaults } from '../tools/approval.policy.js';
import type { ToolRegistry } from '../tools/tool.registry.js';
import type { ToolTrackingService } from '../tools/tool-tracking.service.js';

/** What an agent is made of, beside its model. */
export interface AgentKit {
  readonly tools: ToolRegistry;
  readonly tracking: ToolTrackingService;
  readonly checkpointer: Storage['checkpointer'];
}

export interface ChatModuleOptions {
  /** Where runs, logs, threads and checkpoints live. Opened at start and closed at shutdown by the module. */
  readonly storage: Storage;
  /** Makes the agents, once all tools are known. The first one answers when a request names none. */
  readonly agents: (kit: AgentKit) => readonly Agent[] | Promise<readonly Agent[]>;
  /** How callers prove who they are. */
  readonly auth: AuthOptions;
  /**
   * Every role that a caller can have. With it, an agent or tool for another role stops the start. Default: what `auth` itself
   * says, which for tokens and hosts is nothing.
   */
  readonly roles?: readonly string[];
  /** Default: 60 starts per minute and 20 open streams, per principal. */
  readonly throttling?: ThrottlingOptions;
  /** What one run may use. What is absent has its default. */
  readonly limits?: Partial<RunLimits>;
  /**
   * The longest message, in bytes of UTF-8; beyond it REQUEST_TOO_LARGE, in every protocol. Default 256 KiB. What a whole request
   * may take is the host's to say: clients of some protocols send their conversation with every turn.
   */
  readonly maxMessageBytes?: number;
  /** MCP servers whose tools the agents get. Default: none. Needs the package @langchain/mcp-adapters. */
  readonly mcp?: readonly McpServerOptions[];
  /** Where the host takes part in each run: policy, context, audit. Default: nowhere. */
  readonly hooks?: RunHooks;
  /** How long what was said is kept, and in what detail. Default: for ever, and compacted an hour after a run's end. */
  readonly retention?: Partial<RetentionOptions>;
  /**
   * Whether this process works on runs. Default true. False for one that only answers requests, in front of others that share
   * its storage; it still needs the agents, to know which there are.
   */
  readonly worker?: boolean;
  /** Runs at a time in this process. Default 100; more wait. */
  readonly maxConcurrentRuns?: number;
  /** What a start does in a thread whose last run has not ended: `reject` (default, THREAD_BUSY) or `queue`. */
  readonly whenBusy?: 'reject' | 'queue';
  /** Tool calls that wait for a person. Default: those whose tools say so, for 7 days. */
  readonly approvals?: ApprovalSettings;
  /** The longest silence on a stream, in milliseconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /** How long a shutdown waits for runs to reach a boundary, and spreads the end of streams over. Default 10,000 ms. */
  readonly drainMs?: number;
}

export interface ApprovalSettings extends Partial<ApprovalDefaults> {
  /** What a new message does in a thread that waits: `deny` what waits (default), or `reject` the message with APPROVAL_PENDING. */
  readonly whenMessaged?: 'deny' | 'reject';
}

export interface ProtocolsOptions {
  /** Default `protocols`: the AI SDK's chat is at `protocols/ai-sdk/chat`. */
  readonly prefix?: string;
}

/** What has to be known before any option is. */
export interface ChatModuleExtras {
  /** Where the routes are. Default `api/chat`. False: nowhere, in a process that only works on runs. */
  readonly path?: string | false;
  /**
   * Where a browser signs in and out. Default `auth/session` beside the routes: `api/auth/session`. False: nowhere, for a host
   * that has a sign-in of its own.
   */
  readonly sessionPath?: string | false;
  /** Serves the client libraries that people have already: each in its own words, below `prefix`. Absent: none of them. */
  readonly protocols?: ProtocolsOptions;
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
