import { Inject, Injectable } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent.registry.js';
import { AppError } from '../errors.js';
import { Storage } from '../storage/storage.js';
import type { Tool } from '../tools/agent-tool.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import { ToolTrackingService } from '../tools/tool-tracking.service.js';
import {
  validateAgents,
  validateApprovals,
  getKnownRoles,
  validateRoles,
} from './chat-options.validation.js';
import { CHAT_OPTIONS, type ChatModuleOptions } from './chat.options.js';

/** Makes the agents, and refuses what does not fit together: agents, tools, roles and approvals. */
@Injectable()
export class AgentSetup {
  constructor(
    @Inject(CHAT_OPTIONS) private readonly options: ChatModuleOptions,
    private readonly storage: Storage,
    private readonly agents: AgentRegistry,
    private readonly tools: ToolRegistry,
    private readonly tracking: ToolTrackingService,
  ) {}

  /**
   * Registers the agents. The storage is open, and all tools are known.
   *
   * @throws AppError CONFIG_INVALID, which says all that is wrong
   */
  async registerAgents(): Promise<void> {
    const { tools, tracking, storage, options } = this;
    const { items, checkpointer } = storage;
    const store = { ...options.store, items };
    const agents = await options.agents({ tools, tracking, checkpointer, store });
    throwIfInvalid(validateAgents(agents));
    const readContinuation = ({ name }: Tool) => tools.getOrigin(name) ?? 'no longer registered';
    throwIfInvalid(
      validateRoles({
        agents,
        tools: tools.list(),
        describeOrigin: readContinuation,
        known: getKnownRoles(options),
      }),
    );
    throwIfInvalid(validateApprovals(options, tools.list()));
    for (const agent of agents) this.agents.register(agent);
  }
}

/** The application does not start, and says all that is wrong. */
function throwIfInvalid(faults: readonly string[]): void {
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
}
