import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DrainService } from '../instance/drain.service.js';
import { RunsLifecycle } from '../runs/runs-lifecycle.service.js';
import { Storage } from '../storage/storage.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { SwitchService } from '../switches/switch.service.js';
import { McpServers } from '../tools/mcp/mcp-servers.js';
import { AgentSetup } from './agent-setup.service.js';
import { CHAT_OPTIONS, type ChatModuleOptions } from './chat.options.js';
import { ModuleConflicts } from './module-conflicts.js';

/**
 * The two orders that matter: in which the parts of this module that live longer than a request are started, and in which they are
 * stopped. Each needs those that were started before it.
 */
@Injectable()
export class ChatLifecycle
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private stopListening: (() => void) | undefined;

  constructor(
    @Inject(CHAT_OPTIONS) private readonly options: ChatModuleOptions,
    private readonly conflicts: ModuleConflicts,
    private readonly storage: Storage,
    private readonly switches: SwitchService,
    private readonly mcp: McpServers,
    private readonly agents: AgentSetup,
    private readonly runs: RunsLifecycle,
    private readonly instance: DrainService,
    private readonly telemetry: Telemetry,
  ) {}

  async onModuleInit(): Promise<void> {
    this.conflicts.assertNone();
    await this.storage.open();
    await this.switches.start();
  }

  /** After every module's init, so that all tools have been found; and before runs are claimed, which need their agents. */
  async onApplicationBootstrap(): Promise<void> {
    // A process that works on no runs calls no tools.
    const isWorker = this.options.worker !== false;
    if (isWorker) {
      this.stopListening = this.storage.wakeups.listen('mcp-pins', () => void this.mcp.refresh());
      await this.mcp.start();
    }
    await this.agents.registerAgents();
    if (isWorker) await this.runs.start();
  }

  /** Before the server closes: it would wait for the open streams for ever. Their readers come back, here or elsewhere. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.instance.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.runs.stop();
    this.stopListening?.();
    await this.mcp.close();
    await this.switches.stop();
    await this.storage.close();
    this.telemetry.close();
  }
}
