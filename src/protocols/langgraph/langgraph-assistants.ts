import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Agent } from '../../agents/agent.js';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { AssistantStore } from '../../agents/assistant.store.js';
import { AppError, MissingError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import {
  addVersion,
  chooseVersion,
  createAssistant,
  currentVersion,
  readStored,
  toStored,
  type Assistant,
  type AssistantVersion,
} from './assistant-versions.js';
import {
  readFacts,
  type AssistantFilter,
  type createAssistantSchema,
  type searchAssistantsSchema,
  type updateAssistantSchema,
  type versionsSchema,
} from './langgraph-assistants-input.js';
import { splitInput, type SplitInput } from './langgraph-files.js';
import { toAssistant, toStoredAssistant, type LangGraphAssistant } from './assistant-resources.js';

/** Maximum assistants of one user. */
const MAX_ASSISTANTS = 100;

/** The agents, which are assistants as they are, and the assistants that users have made of them. Those of others do not exist. */
@Injectable()
export class LangGraphAssistants {
  constructor(
    private readonly agents: AgentRegistry,
    private readonly store: AssistantStore,
  ) {}

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, id: string): Promise<LangGraphAssistant> {
    const agent = this.findAgent(principal, id);
    return agent ? toAssistant(agent) : toStoredAssistant(await this.require(principal, id));
  }

  /** Returns the agent of an assistant. @throws AppError NOT_FOUND, AGENT_UNKNOWN */
  async getAgent(principal: Principal, id: string): Promise<Agent> {
    const agent = this.findAgent(principal, id);
    if (agent) return agent;
    return this.agents.choose(principal, currentVersion(await this.require(principal, id)).agent);
  }

  /** Returns what a run gets of the assistant that it names. Undefined if that is an agent. @throws AppError AGENT_UNKNOWN */
  async findVersion(principal: Principal, id: string): Promise<AssistantVersion | undefined> {
    if (this.findAgent(principal, id)) return undefined;
    const found = await this.store.get(principal, id);
    if (!found) throw this.toUnknown(principal, id);
    return currentVersion(readStored(found));
  }

  /** False if the state of the agent has no messages. */
  hasMessages(agent: string): boolean {
    return this.agents.get(agent)?.takesMessages !== false;
  }

  /**
   * Takes the files out of an input, if the agent takes files. For any other they stay in the input, and the start is refused. Messages for an agent that takes none are left
   * out, as all keys that a graph does not have.
   */
  splitInput<Given extends Readonly<Record<string, unknown>> | null | undefined>(
    agent: string,
    input: Given,
  ): SplitInput<Given> {
    if (input && 'messages' in input && !this.hasMessages(agent)) {
      const { messages: _, ...rest } = input;
      return { input: rest as Given };
    }
    return this.agents.get(agent)?.accepts?.length ? splitInput(input) : { input };
  }

  /** @throws AppError AGENT_UNKNOWN, ID_TAKEN, RUN_LIMIT */
  async create(
    principal: Principal,
    { assistant_id, if_exists: whenThere, ...body }: z.output<typeof createAssistantSchema>,
  ): Promise<LangGraphAssistant> {
    const id = assistant_id ?? randomUUID();
    const { name: agent } = this.agents.choose(principal, body.graph_id);
    const none = { name: 'Untitled', config: {}, context: {}, metadata: {} };
    const assistant = createAssistant(id, { ...none, ...readFacts(body), agent }, Date.now());
    const outcome = this.findAgent(principal, id) ? 'conflict' : await this.put(principal, assistant);
    if (outcome === 'stored') return toStoredAssistant(assistant);
    if (whenThere === 'do_nothing') return this.get(principal, id);
    throw new AppError('ID_TAKEN', `There is an assistant '${id}' already. Send if_exists: do_nothing.`);
  }

  /** @throws AppError NOT_FOUND, AGENT_UNKNOWN, FORBIDDEN, RUN_LIMIT */
  async update(
    principal: Principal,
    id: string,
    body: z.output<typeof updateAssistantSchema>,
  ): Promise<LangGraphAssistant> {
    const change = readFacts(body);
    if (change.agent !== undefined) this.agents.choose(principal, change.agent);
    return this.change(principal, id, (assistant) => addVersion(assistant, change, Date.now()));
  }

  /** @throws AppError NOT_FOUND, FORBIDDEN */
  setLatest(principal: Principal, id: string, version: number): Promise<LangGraphAssistant> {
    return this.change(principal, id, (assistant) => {
      const next = chooseVersion(assistant, version, Date.now());
      if (next) return next;
      throw new AppError('NOT_FOUND', `The assistant '${id}' has no version ${version}.`);
    });
  }

  /** Returns versions, the newest first. @throws AppError NOT_FOUND */
  async listVersions(
    principal: Principal,
    id: string,
    { limit, offset, metadata }: z.output<typeof versionsSchema>,
  ): Promise<LangGraphAssistant[]> {
    const agent = this.findAgent(principal, id);
    const assistant = agent ? undefined : await this.require(principal, id);
    const versions = agent
      ? [toAssistant(agent)]
      : assistant!.versions.map((version) => toStoredAssistant(assistant!, version));
    return versions.filter((one) => fits(one, { metadata })).slice(offset, offset + limit);
  }

  /** @throws AppError NOT_FOUND, FORBIDDEN */
  async refuseDeletion(principal: Principal, id: string): Promise<void> {
    this.refuseAgent(principal, id);
    await this.require(principal, id);
  }

  /** @throws AppError NOT_FOUND, FORBIDDEN */
  async delete(principal: Principal, id: string): Promise<void> {
    await this.refuseDeletion(principal, id);
    await this.store.delete(principal, id);
  }

  async search(
    principal: Principal,
    { limit, offset, sort_by: by, sort_order: order, ...filter }: z.output<typeof searchAssistantsSchema>,
  ): Promise<LangGraphAssistant[]> {
    const found = await this.find(principal, filter);
    const key = by ?? 'created_at';
    const sign = order === 'asc' ? 1 : -1;
    const compare = (one: LangGraphAssistant, other: LangGraphAssistant) =>
      one[key] === other[key] ? 0 : one[key] < other[key] ? -sign : sign;
    return found.sort(compare).slice(offset, offset + limit);
  }

  async count(principal: Principal, filter: AssistantFilter): Promise<number> {
    return (await this.find(principal, filter)).length;
  }

  private async find(principal: Principal, filter: AssistantFilter): Promise<LangGraphAssistant[]> {
    const agents = this.agents.availableTo(principal).map(toAssistant);
    const stored = await this.store.list(principal);
    // The newest first, also among those of one moment.
    const own = stored.toReversed().map((one) => toStoredAssistant(readStored(one)));
    return [...own, ...agents].filter((one) => fits(one, filter));
  }

  /** Changes an assistant, once more if somebody else has changed it meanwhile. */
  private async change(
    principal: Principal,
    id: string,
    change: (assistant: Assistant) => Assistant,
  ): Promise<LangGraphAssistant> {
    this.refuseAgent(principal, id);
    for (;;) {
      const next = change(await this.require(principal, id));
      if ((await this.put(principal, next)) === 'stored') return toStoredAssistant(next);
    }
  }

  /** @throws AppError RUN_LIMIT */
  private async put(principal: Principal, assistant: Assistant): Promise<'stored' | 'conflict'> {
    const outcome = await this.store.put(principal, toStored(assistant), MAX_ASSISTANTS);
    if (outcome === 'full')
      throw new AppError('RUN_LIMIT', `You have ${MAX_ASSISTANTS} assistants, and no more fit. Delete one.`);
    return outcome;
  }

  /** @throws AppError NOT_FOUND */
  private async require(principal: Principal, id: string): Promise<Assistant> {
    const found = await this.store.get(principal, id);
    if (!found) throw new MissingError('assistant', id);
    return readStored(found);
  }

  /** In LangGraph's words, for which its clients may look, and then in those of the registry. */
  private toUnknown(principal: Principal, id: string): unknown {
    try {
      return this.agents.choose(principal, id);
    } catch (error) {
      if (!(error instanceof AppError)) return error;
      return new AppError(error.code, `No assistant found for '${id}'. ${error.message}`, error.options);
    }
  }

  private findAgent(principal: Principal, id: string): Agent | undefined {
    return this.agents.availableTo(principal).find(({ name }) => name === id);
  }

  /** @throws AppError FORBIDDEN */
  private refuseAgent(principal: Principal, id: string): void {
    if (this.findAgent(principal, id))
      throw new AppError(
        'FORBIDDEN',
        `The assistant '${id}' is an agent of this server. Create one of your own.`,
      );
  }
}

function fits(assistant: LangGraphAssistant, { graph_id, name, metadata }: AssistantFilter): boolean {
  return (
    assistant.graph_id === (graph_id ?? assistant.graph_id) &&
    assistant.name.toLowerCase().includes(name?.toLowerCase() ?? '') &&
    Object.entries(metadata ?? {}).every(([key, value]) => isDeepStrictEqual(assistant.metadata[key], value))
  );
}
