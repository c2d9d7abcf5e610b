import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { Principal } from '../../principal.js';
import { OpenAiFilter } from './openai.filter.js';

/** The agents, which OpenAI's clients know as models. */
@ApiTags('protocols: OpenAI')
@Controller()
export class ModelsController {
  constructor(private readonly agents: AgentRegistry) {}

  @Get()
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'List the agents that you can use as models (OpenAI)',
    reply: { status: 200, description: 'Those that your roles allow.' },
  })
  list(@CurrentPrincipal() principal: Principal): object {
    const data = this.agents
      .availableTo(principal)
      .map(({ name }) => ({ id: name, object: 'model', created: 0, owned_by: 'agents' }));
    return { object: 'list', data };
  }
}
