import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
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
    summary: 'List your threads, the most recently changed first',
    reply: { status: 200, description: 'A page of threads.', schema: responses.threadPageSchema },
    query: responses.pageQuerySchema,
    reads: true,
  })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(responses.pageQuerySchema)) page: responses.PageQueryDto,
  ): Promise<responses.ThreadPageDto> {
    const { items, nextCursor } = await this.threads.list(principal, page);
    return { items: items.map(responses.toThreadDto), ...(nextCursor && { nextCursor }) };
  }

  @Get('threads/:threadId')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Get a thread with its messages',
    description:
      'Messages are folded from the logs of the runs: what every viewer saw. `limit` counts questions with their answers.',
    reply: {
      status: 200,
      description: 'The thread and a page of messages.',
      schema: responses.threadDetailSchema,
    },
    query: responses.pageQuerySchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Query(new SchemaPipe(responses.pageQuerySchema)) page: responses.PageQueryDto,
  ): Promise<responses.ThreadDetailDto> {
    const thread = await this.threads.get(principal, threadId);
    const { items, nextCursor } = await this.threads.messages(principal, threadId, page);
    // Of the first page: what is older waits no more.
    const inputs = page.cursor === undefined ? await this.threads.openInputs(principal, threadId) : [];
    return {
      thread: responses.toThreadDto(thread),
      messages: items,
      ...(inputs.length > 0 && { inputs }),
      ...(nextCursor && { nextCursor }),
    };
  }

  @Delete('threads/:threadId')
  @HttpCode(204)
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Delete a thread',
    description:
      'Stops its run, if one goes on, and removes what was said and what the agent remembers of it.',
    reply: { status: 204, description: 'It is gone.' },
    problems: ['NOT_FOUND', 'THREAD_BUSY'],
  })
  delete(@CurrentPrincipal() principal: Principal, @Param('threadId') threadId: string): Promise<void> {
    return this.threads.delete(principal, threadId);
  }

  @Get('agents')
  @Endpoint({
    summary: 'List the agents that you can use',
    reply: { status: 200, description: 'Those that your roles allow.', schema: responses.agentsSchema },
  })
  listAgents(@CurrentPrincipal() principal: Principal): responses.AgentsDto {
    const items = this.agents.availableTo(principal).map(({ name, description }) => ({ name, description }));
    return { items, ...(items[0] && { default: items[0].name }) };
  }
}
