import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, UseFilters } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { getAuthentication, CurrentPrincipal } from '../../auth/authentication.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { OpenStreamsGuard } from '../../throttling/open-streams.guard.js';
import { ThreadCopyService } from '../../runs/thread-copy.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { LangGraphCopyFilter } from './langgraph.filter.js';
import { ApiText, LangGraphEndpoint } from './langgraph-endpoint.decorator.js';
import {
  stateSchema,
  threadSchema,
  type LangGraphState,
  type LangGraphThread,
} from './langgraph-resources.js';
import { LangGraphThreadLists } from './langgraph-thread-lists.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { RUN_ID, THREAD_ID } from './run-stream.endpoints.js';
import {
  countThreadsSchema,
  createThreadSchema,
  historySchema,
  searchThreadsSchema,
  stateAtSchema,
  updateThreadSchema,
} from './run-stream-input.js';

/** Threads in LangGraph's words: `client.threads`, and what hooks read when they open one. */
@ApiTags('langgraph')
@Controller()
export class LangGraphThreadsController {
  constructor(
    private readonly threads: LangGraphThreads,
    private readonly lists: LangGraphThreadLists,
    private readonly service: ThreadService,
    private readonly copies: ThreadCopyService,
  ) {}

  @Post()
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Create a thread (LangGraph)',
    description: 'With `if_exists: do_nothing`, an id that is in use gives the thread as it is.',
    reply: { status: 200, description: 'The thread.', schema: threadSchema },
    accepts: createThreadSchema,
    reads: true,
    // With `supersteps` it waits for runs.
    guards: [OpenStreamsGuard],
    problems: ['ID_TAKEN', 'RATE_LIMITED', 'TOO_MANY_STREAMS'],
  })
  create(@Req() request: WebRequest): Promise<LangGraphThread> {
    const body = validate(createThreadSchema, request.body ?? {}, 'body');
    return this.threads.create(getAuthentication(request).principal, body);
  }

  @Post('search')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Search your threads, the last changed first (LangGraph)',
    description: 'By `ids`, `status`, `metadata` and `values`, among the thousand that changed last.',
    reply: { status: 200, description: 'At most 100.', schema: z.array(threadSchema) },
    accepts: searchThreadsSchema,
    reads: true,
  })
  search(@Req() request: WebRequest): Promise<LangGraphThread[]> {
    const query = validate(searchThreadsSchema, request.body ?? {}, 'body');
    return this.lists.search(getAuthentication(request).principal, query);
  }

  @Post('count')
  @HttpCode(200)
  @LangGraphEndpoint({
    summary: 'Count your threads (LangGraph)',
    description: 'Of the thousand that changed last.',
    reply: { status: 200, description: 'Their number.', schema: z.int() },
    accepts: countThreadsSchema,
    reads: true,
  })
  count(@Req() request: WebRequest): Promise<number> {
    const filter = validate(countThreadsSchema, request.body ?? {}, 'body');
    return this.lists.count(getAuthentication(request).principal, filter);
  }

  @Delete(':threadId')
  @HttpCode(204)
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Delete a thread (LangGraph)',
    description: 'Stops its run, if one goes on, and removes all that is stored of it.',
    reply: { status: 204, description: 'It is gone.' },
    problems: ['NOT_FOUND', 'THREAD_BUSY'],
  })
  delete(@CurrentPrincipal() principal: Principal, @Param('threadId') threadId: string): Promise<void> {
    return this.service.delete(principal, threadId);
  }

  @Post(':threadId/copy')
  @HttpCode(200)
  @THREAD_ID
  @ApiText(409, '`NOT_FOUND`: there is no such thread. LangGraph has this status for it.')
  @UseFilters(LangGraphCopyFilter)
  @LangGraphEndpoint({
    summary: 'Copy a thread (LangGraph)',
    description:
      'The copy has the states of the thread. A run that goes on is left out. A copy counts as a start.',
    reply: { status: 200, description: 'The copy.', schema: threadSchema },
    problems: ['RATE_LIMITED', 'REQUEST_TOO_LARGE', 'FILES_FULL'],
  })
  async copy(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<LangGraphThread> {
    return this.threads.get(principal, (await this.copies.copy(principal, threadId)).id);
  }

  @Delete(':threadId/runs/:runId')
  @HttpCode(204)
  @THREAD_ID
  @RUN_ID
  @LangGraphEndpoint({
    summary: 'Delete a run (LangGraph)',
    description:
      'Stops the run, if it goes on, and removes what was said in it and what the graph remembers of it. If another run continues from it, that one has to go first.',
    reply: { status: 204, description: 'It is gone.' },
    problems: ['NOT_FOUND', 'RUN_FOLLOWED', 'THREAD_BUSY'],
  })
  async deleteRun(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Param('runId') runId: string,
  ): Promise<void> {
    const run = await this.threads.run(principal, runId, threadId);
    await this.service.deleteRun(principal, run.id);
  }

  @Get(':threadId')
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Get a thread (LangGraph)',
    reply: { status: 200, description: 'The thread.', schema: threadSchema },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<LangGraphThread> {
    return this.threads.get(principal, threadId);
  }

  @Patch(':threadId')
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Change the metadata or the lifetime of a thread (LangGraph)',
    description: 'Metadata take the place of values of the same names; the others stay.',
    reply: { status: 200, description: 'The thread.', schema: threadSchema },
    accepts: updateThreadSchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async update(@Req() request: WebRequest, @Param('threadId') threadId: string): Promise<LangGraphThread> {
    const { metadata, ttl } = validate(updateThreadSchema, request.body ?? {}, 'body');
    const { principal } = getAuthentication(request);
    await this.service.change(principal, threadId, {
      ...(metadata && { metadata }),
      ...(ttl && { ttlMs: ttl }),
    });
    return this.threads.get(principal, threadId);
  }

  @Get(':threadId/state')
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Get the state of a thread (LangGraph)',
    description: 'While a run goes on: what was said before it, and its question.',
    reply: { status: 200, description: 'The state.', schema: stateSchema },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  state(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<LangGraphState> {
    return this.threads.state(principal, threadId);
  }

  @Post(':threadId/state/checkpoint')
  @HttpCode(200)
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Get an earlier state of a thread (LangGraph)',
    reply: { status: 200, description: 'The state.', schema: stateSchema },
    accepts: stateAtSchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  stateAt(@Req() request: WebRequest, @Param('threadId') threadId: string): Promise<LangGraphState> {
    const { checkpoint } = validate(stateAtSchema, request.body ?? {}, 'body');
    return this.threads.state(getAuthentication(request).principal, threadId, checkpoint?.checkpoint_id);
  }

  @Get(':threadId/state/:checkpointId')
  @THREAD_ID
  @ApiParam({ name: 'checkpointId', description: "A state's `checkpoint_id`." })
  @LangGraphEndpoint({
    summary: "Get a thread's state at a checkpoint (LangGraph)",
    reply: { status: 200, description: 'The state.', schema: stateSchema },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  readState(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Param('checkpointId') checkpointId: string,
  ): Promise<LangGraphState> {
    return this.threads.state(principal, threadId, checkpointId);
  }

  @Post(':threadId/history')
  @HttpCode(200)
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'List the states of a thread, the newest first (LangGraph)',
    description: 'Those that its runs have kept, or two for each run.',
    reply: { status: 200, description: 'At most 100.', schema: z.array(stateSchema) },
    accepts: historySchema,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  history(@Req() request: WebRequest, @Param('threadId') threadId: string): Promise<LangGraphState[]> {
    const page = validate(historySchema, request.body ?? {}, 'body');
    return this.threads.history(getAuthentication(request).principal, threadId, page);
  }
}
