import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { AgentRegistry } from '../agents/agent.registry.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import { MessageService } from '../runs/message.service.js';
import { SpendingService } from '../runs/spending.service.js';
import { ThreadCopyService } from '../runs/thread-copy.service.js';
import { ThreadService } from '../runs/thread.service.js';
import {
  branchQuerySchema,
  pageQuerySchema,
  type BranchQueryDto,
  type PageQueryDto,
} from '../streams/run-list.schemas.js';
import {
  readSpendingQuery,
  spendingQuerySchema,
  spendingSchema,
  threadUsageSchema,
  type SpendingDto,
  type SpendingQueryDto,
  type ThreadUsageDto,
} from '../streams/spending.schemas.js';
import * as responses from './dto/responses.dto.js';
import {
  inboxSchema,
  readThreadQuery,
  threadChangeSchema,
  threadQuerySchema,
  type InboxDto,
  type ThreadChangeDto,
  type ThreadQueryDto,
} from './dto/thread.schemas.js';

const THREAD_ID = { name: 'threadId', description: "The conversation's id." };

/** The conversations of a principal, and the agents to have them with. */
@ApiTags('threads')
@Controller()
export class ThreadsController {
  constructor(
    private readonly threads: ThreadService,
    private readonly copies: ThreadCopyService,
    private readonly agents: AgentRegistry,
    private readonly spending: SpendingService,
    private readonly steering: MessageService,
  ) {}

  @Get('threads')
  @Endpoint({
    summary: 'List or search your threads, the most recently changed first',
    reply: { status: 200, description: 'A page of threads.', schema: responses.threadPageSchema },
    query: threadQuerySchema,
    reads: true,
  })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(threadQuerySchema)) query: ThreadQueryDto,
  ): Promise<responses.ThreadPageDto> {
    const request = readThreadQuery(query);
    const { search } = query;
    if (search) return responses.toMatchPage(await this.threads.search(principal, { ...request, search }));
    const { items, nextCursor } = await this.threads.list(principal, request);
    return { items: items.map(responses.toThreadDto), ...(nextCursor && { nextCursor }) };
  }

  @Get('threads/:threadId')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Get a thread with its messages',
    description:
      'Messages are folded from the logs of the runs: what every viewer saw. `limit` counts questions with their answers. ' +
      'In a thread with branches, they are those of one branch: of the newest run, or of `runId`.',
    reply: {
      status: 200,
      description: 'The thread and a page of messages.',
      schema: responses.threadDetailSchema,
    },
    query: branchQuerySchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Query(new SchemaPipe(branchQuerySchema)) { runId: through, ...page }: BranchQueryDto,
  ): Promise<responses.ThreadDetailDto> {
    const thread = await this.threads.get(principal, threadId);
    const { items, nextCursor } = await this.threads.messages(principal, threadId, { ...page, through });
    // Of the first page: what is older waits no more.
    const open = page.cursor === undefined ? await this.threads.openInputs(principal, threadId) : [];
    const inputs = open.filter((asked) => items.at(-1)?.runId === asked.runId);
    return {
      thread: responses.toThreadDto(thread),
      messages: items,
      ...(inputs.length > 0 && { inputs }),
      ...(nextCursor && { nextCursor }),
    };
  }

  @Patch('threads/:threadId')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Rename, pin or archive a thread, or note that it was read',
    reply: { status: 200, description: 'The thread as it is now.', schema: responses.threadSchema },
    accepts: threadChangeSchema,
    problems: ['NOT_FOUND'],
  })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Body(new SchemaPipe(threadChangeSchema)) change: ThreadChangeDto,
  ): Promise<responses.ThreadDto> {
    return responses.toThreadDto(await this.threads.change(principal, threadId, change));
  }

  @Get('inbox')
  @Endpoint({
    summary: 'List what your threads wait for: approvals, questions, client tools',
    reply: { status: 200, description: 'A page of open inputs.', schema: inboxSchema },
    query: pageQuerySchema,
    reads: true,
  })
  async listInbox(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(pageQuerySchema)) page: PageQueryDto,
  ): Promise<InboxDto> {
    return this.threads.inbox(principal, page);
  }

  @Get('threads/:threadId/usage')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Sum what the runs of a thread have used and cost',
    reply: { status: 200, description: 'The sum.', schema: threadUsageSchema },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async sumUsage(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<ThreadUsageDto> {
    await this.threads.get(principal, threadId);
    const usage = await this.spending.sumThread(principal, threadId);
    return { currency: this.spending.currency, ...(usage && { usage }) };
  }

  @Get('usage')
  @Endpoint({
    summary: 'Sum what your runs have used and cost',
    description: 'Of runs that have ended, also of deleted threads.',
    reply: { status: 200, description: 'The sums.', schema: spendingSchema },
    query: spendingQuerySchema,
    reads: true,
  })
  async listSpending(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(spendingQuerySchema)) query: SpendingQueryDto,
  ): Promise<SpendingDto> {
    const items = await this.spending.listOwn(principal, readSpendingQuery(query));
    return { currency: this.spending.currency, items };
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

  @Post('threads/:threadId/copy')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Copy a thread',
    description:
      'The copy is a thread of its own, with what was said, the files, and what the agent remembers. A run that goes on is left out. A copy counts as a start.',
    reply: { status: 201, description: 'The copy.', schema: responses.threadSchema },
    problems: ['NOT_FOUND', 'RATE_LIMITED', 'REQUEST_TOO_LARGE', 'FILES_FULL'],
  })
  async copy(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<responses.ThreadDto> {
    return responses.toThreadDto(await this.copies.copy(principal, threadId));
  }

  @Delete('runs/:runId')
  @HttpCode(204)
  @ApiParam({ name: 'runId', description: "The run's id." })
  @Endpoint({
    summary: 'Delete a run',
    description:
      'Stops the run, if it goes on, and removes what was said in it and what the agent remembers of it. If another run continues from it, that one has to go first.',
    reply: { status: 204, description: 'It is gone.' },
    problems: ['NOT_FOUND', 'RUN_FOLLOWED', 'THREAD_BUSY'],
  })
  deleteRun(@CurrentPrincipal() principal: Principal, @Param('runId') runId: string): Promise<void> {
    return this.threads.deleteRun(principal, runId);
  }

  @Get('agents')
  @Endpoint({
    summary: 'List the agents that you can use',
    reply: { status: 200, description: 'Those that your roles allow.', schema: responses.agentsSchema },
  })
  listAgents(@CurrentPrincipal() principal: Principal): responses.AgentsDto {
    const items = this.agents
      .availableTo(principal)
      .map(({ name, description, accepts, isSteerable = false, suggestions }) => ({
        name,
        description,
        ...(accepts && { accepts: [...accepts] }),
        ...(this.steering.mayReach({ isSteerable }) && { isSteerable: true as const }),
        ...(suggestions && { suggestions: suggestions.slice(0, MOST_SUGGESTIONS).map(shorten) }),
      }));
    return { items, ...(items[0] && { default: items[0].name }) };
  }
}

const MOST_SUGGESTIONS = 12;
const LONGEST_SUGGESTION = 300;

function shorten(text: string): string {
  return text.slice(0, LONGEST_SUGGESTION);
}
