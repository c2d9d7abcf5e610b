import { randomUUID } from 'node:crypto';
import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { getAuthentication, CurrentPrincipal } from '../../auth/authentication.js';
import { idSchema } from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import {
  createEmptyThread,
  stateSchema,
  threadSchema,
  type LangGraphState,
  type LangGraphThread,
} from './langgraph-resources.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { THREAD_ID } from './run-stream.endpoints.js';
import { createThreadSchema, historySchema, stateAtSchema } from './run-stream-input.js';

/** Threads in LangGraph's words: `client.threads`, and what hooks read when they open one. */
@ApiTags('langgraph')
@Controller()
export class LangGraphThreadsController {
  constructor(private readonly threads: LangGraphThreads) {}

  @Post()
  @HttpCode(200)
  @Endpoint({
    summary: 'Create a thread (LangGraph)',
    description: 'Nothing is kept of it before its first run. Of an id that is in use: the thread as it is.',
    reply: { status: 200, description: 'The thread.', schema: threadSchema },
    accepts: createThreadSchema,
    reads: true,
  })
  async create(@Req() request: WebRequest): Promise<LangGraphThread> {
    const { thread_id, metadata } = validate(createThreadSchema, request.body, 'body');
    const threadId = thread_id ? validate(idSchema, thread_id, 'thread_id') : randomUUID();
    try {
      return await this.threads.get(getAuthentication(request).principal, threadId);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND')
        return createEmptyThread(threadId, Date.now(), metadata ?? {});
      throw error;
    }
  }

  @Get(':threadId')
  @THREAD_ID
  @Endpoint({
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

  @Get(':threadId/state')
  @THREAD_ID
  @Endpoint({
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
  @Endpoint({
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
  @Endpoint({
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
  @Endpoint({
    summary: 'List the states of a thread, the newest first (LangGraph)',
    description: 'One for each run.',
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
