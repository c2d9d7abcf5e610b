import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { AppError } from '../errors.js';
import { SseStreams } from '../http/sse.streams.js';
import { ApprovalExpiry } from '../runs/approval.expiry.js';
import { RetentionService } from '../runs/retention.service.js';
import { RunHookCalls } from '../runs/run.hooks.js';
import { RunExecutor } from '../runs/run.executor.js';
import { Storage } from '../storage/storage.js';
import type { Tool } from '../tools/agent-tool.js';
import { McpServers } from '../tools/mcp/mcp.servers.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import { ToolTrackingService } from '../tools/tool-tracking.service.js';
import { agentFaults, approvalFaults, knownRoles, roleFaults } from './chat.faults.js';
import { CHAT_OPTIONS, type ChatModuleOptions } from './chat.options.js';

const DRAIN_MS = 10_000;

/** Starts and stops everything of this module that lives longer than a request, in order; the one place that does. */
@Injectable()
export class ChatLifecycle
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    @Inject(CHAT_OPTIONS) private readonly options: ChatModuleOptions,
    private readonly storage: Storage,
    private readonly agents: AgentRegistry,
    private readonly tools: ToolRegistry,
    private readonly tracking: ToolTrackingService,
    private readonly executor: RunExecutor,
    private readonly retention: RetentionService,
    private readonly expiry: ApprovalExpiry,
    private readonly streams: SseStreams,
    private readonly hooks: RunHookCalls,
    private readonly mcp: McpServers,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.storage.open();
  }

  /** After every module's init, so that all tools have been found; and before runs are claimed, which need their agents. */
  async onApplicationBootstrap(): Promise<void> {
    // Whoever works on no runs calls no tools.
    if (this.options.worker !== false) await this.mcp.start();
    for (const agent of await this.makeAgents()) this.agents.register(agent);
    if (this.options.worker === false) return;
    await this.executor.start();
    this.retention.start();
    this.expiry.start();
  }

  /** Before the server closes: it would wait for the open streams for ever. Their readers come back, here or elsewhere. */
  async beforeApplicationShutdown(): Promise<void> {
    const windowMs = this.options.drainMs ?? DRAIN_MS;
    await Promise.all([this.executor.drain(windowMs), this.streams.drain(windowMs)]);
    await this.hooks.settled(windowMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.retention.stop();
    await this.expiry.stop();
    await this.mcp.close();
    await this.storage.close();
  }

  private async makeAgents(): Promise<readonly Agent[]> {
    const { tools, tracking, storage, options } = this;
    const agents = await options.agents({ tools, tracking, checkpointer: storage.checkpointer });
    refuse(agentFaults(agents));
    const originOf = ({ name }: Tool) => tools.originOf(name) ?? 'no longer registered';
    refuse(roleFaults({ agents, tools: tools.list(), originOf, known: knownRoles(options) }));
    refuse(approvalFaults(options, tools.list()));
    return agents;
  }
}

/** The application does not start, and says all that is wrong. */
function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
}
