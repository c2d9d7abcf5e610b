import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { mayUse, type Principal } from '../principal.js';
import type { Agent } from './agent.js';

/** The named agents of this application. The first one registered answers when a request names none. */
@Injectable()
export class AgentRegistry {
  private readonly agents = new Map<string, Agent>();

  /** @throws AppError CONFIG_INVALID when the name is taken */
  register(agent: Agent): void {
    if (this.agents.has(agent.name)) {
      throw new AppError('CONFIG_INVALID', `Two agents are named '${agent.name}'. Rename one.`);
    }
    this.agents.set(agent.name, agent);
  }

  /** Returns the agent that a run was started with, for every caller. */
  get(name: string): Agent | undefined {
    return this.agents.get(name);
  }

  /** The agents that this principal may use. */
  availableTo(principal: Principal): Agent[] {
    return [...this.agents.values()].filter((agent) => mayUse(principal, agent.roles));
  }

  /**
   * The agent that a request asks for, or the default one.
   *
   * @throws AppError AGENT_UNKNOWN also for an agent that the principal may not use: it does not exist for them
   */
  choose(principal: Principal, name: string | undefined): Agent {
    const available = this.availableTo(principal);
    const agent = name === undefined ? available[0] : available.find((candidate) => candidate.name === name);
    if (agent) return agent;
    const names = available.map((candidate) => candidate.name).join(', ') || 'none';
    throw new AppError(
      'AGENT_UNKNOWN',
      `There is no agent ${name ? `'${name}'` : 'for you'}. Available: ${names}.`,
      // For the log alone: callers are not told that it exists.
      { ...(name !== undefined && this.agents.has(name) && { cause: forbidden(name) }) },
    );
  }
}

function forbidden(name: string): AppError {
  return new AppError('FORBIDDEN', `The agent '${name}' is not allowed for your roles.`);
}
