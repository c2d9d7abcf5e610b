import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { getAuthentication, CurrentPrincipal } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { assistantSchema, toAssistant, type LangGraphAssistant } from './langgraph-resources.js';
import { searchAssistantsSchema } from './run-stream-input.js';

/** Agents as LangGraph's clients look for them: an assistant's id is the agent's name, and so is its graph's. */
@ApiTags('langgraph')
@Controller()
export class LangGraphAssistantsController {
  constructor(private readonly agents: AgentRegistry) {}

  @Post('search')
  @HttpCode(200)
  @Endpoint({
    summary: 'List the agents that you can use as assistants (LangGraph)',
    reply: { status: 200, description: 'Assistants.', schema: z.array(assistantSchema) },
    accepts: searchAssistantsSchema,
  })
  search(@Req() request: WebRequest): LangGraphAssistant[] {
    const { graph_id, name, limit, offset } = validate(searchAssistantsSchema, request.body ?? {}, 'body');
    const agents = this.agents.availableTo(getAuthentication(request).principal);
    const wanted = agents.filter((agent) => agent.name === (graph_id ?? name ?? agent.name));
    return wanted.slice(offset, offset + limit).map(toAssistant);
  }

  @Get(':assistantId')
  @ApiParam({ name: 'assistantId', description: "The agent's name." })
  @Endpoint({
    summary: 'Get an agent as an assistant (LangGraph)',
    reply: { status: 200, description: 'The assistant.', schema: assistantSchema },
    problems: ['NOT_FOUND'],
  })
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('assistantId') assistantId: string,
  ): LangGraphAssistant {
    const agent = this.agents.availableTo(principal).find(({ name }) => name === assistantId);
    if (!agent) throw new AppError('NOT_FOUND', `There is no assistant '${assistantId}'.`);
    return toAssistant(agent);
  }
}
