import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import type { Principal } from '../principal.js';
import { ThreadService } from '../runs/thread.service.js';
import * as responses from './dto/responses.dto.js';

const THREAD_ID = { name: 'threadId', description: "The conversation's id." };

/** The conversations of a principal, and the agents to have them with. */
@ApiTags('threads')
@Controller()
export class ThreadsController {
  constructor(
    private readonly threads: ThreadService,
    private readonly agents: AgentRegistry,
  ) {}

  @Get('threads')
  @Endpoint({
    summary: 'Your threads, latest change first',
    answers: { status: 200, description: 'A page of threads.', schema: responses.threadPageSchema },
  })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: responses.pageQuerySchema }) page: responses.PageQueryDto,
  ): Promise<responses.ThreadPageDto> {
    const { items, nextCursor } = await this.threads.list(principal, page);
    return { items: items.map(responses.toThreadDto), ...(nextCursor && { nextCursor }) };
  }

  @Get('threads/:threadId')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'A thread and what was said in it',
    description:
      'Messages are folded from the logs of the runs: what every viewer saw. `limit` counts questions with their answers.',
    answers: {
      status: 200,
      description: 'The thread and a page of messages.',
      schema: responses.threadDetailSchema,
    },
    problems: ['NOT_FOUND'],
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Query({ schema: responses.pageQuerySchema }) page: responses.PageQueryDto,
  ): Promise<responses.ThreadDetailDto> {
    const thread = await this.threads.get(principal, threadId);
    const { items, nextCursor } = await this.threads.messages(principal, threadId, page);
    return { thread: responses.toThreadDto(thread), messages: items, ...(nextCursor && { nextCursor }) };
  }

  @Delete('threads/:threadId')
  @HttpCode(204)
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Delete a thread',
    description:
      'Stops its run, if one goes on, and removes what was said and what the agent remembers of it.',
    answers: { status: 204, description: 'It is gone.' },
    problems: ['NOT_FOUND', 'THREAD_BUSY'],
  })
  delete(@CurrentPrincipal() principal: Principal, @Param('threadId') threadId: string): Promise<void> {
    return this.threads.delete(principal, threadId);
  }

  @Get('agents')
  @Endpoint({
    summary: 'The agents you can ask',
    answers: { status: 200, description: 'Those that your roles allow.', schema: responses.agentsSchema },
  })
  listAgents(@CurrentPrincipal() principal: Principal): responses.AgentsDto {
    const items = this.agents.availableTo(principal).map(({ name, description }) => ({ name, description }));
    return { items, ...(items[0] && { default: items[0].name }) };
  }
}
