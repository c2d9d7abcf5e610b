import { applyDecorators, Controller, Delete, Get, Param, Patch, Post } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { Principal } from '../../principal.js';
import { ThreadService } from '../../runs/thread.service.js';
import { LangGraphThreads } from './langgraph-threads.js';

const RefusedEndpoint = () =>
  applyDecorators(
    ApiExcludeEndpoint(),
    Endpoint({
      summary: 'Not supported (LangGraph)',
      reply: { status: 400, description: 'Says what to use instead.' },
      reads: true,
    }),
  );

/**
 * Routes of LangGraph's servers that are not served. Their clients have a method for each, and without these answers they would get the 404 of
 * something that does not exist.
 */
@Controller()
export class LangGraphRefusalsController {
  constructor(
    private readonly threads: ThreadService,
    private readonly runs: LangGraphThreads,
  ) {}

  /** @throws AppError NOT_FOUND, REQUEST_INVALID */
  @Post('threads/:threadId/copy')
  @RefusedEndpoint()
  async copy(@CurrentPrincipal() principal: Principal, @Param('threadId') threadId: string): Promise<never> {
    await this.threads.get(principal, threadId);
    throw refusal(
      'A thread cannot be copied. Start a run from one of its states with `checkpoint`: it becomes a branch of the thread.',
    );
  }

  /** @throws AppError NOT_FOUND, REQUEST_INVALID */
  @Delete('threads/:threadId/runs/:runId')
  @RefusedEndpoint()
  async deleteRun(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Param('runId') runId: string,
  ): Promise<never> {
    await this.runs.run(principal, runId, threadId);
    throw refusal('A single run cannot be deleted. Cancel it, or delete its thread.');
  }

  /** @throws AppError REQUEST_INVALID */
  @Post('runs/cancel')
  @RefusedEndpoint()
  cancelMany(): never {
    throw refusal('Several runs cannot be cancelled at once. Cancel each.');
  }

  /** @throws AppError REQUEST_INVALID */
  @Post('threads/prune')
  @RefusedEndpoint()
  prune(): never {
    throw refusal('Threads cannot be pruned. Delete each.');
  }

  /** @throws AppError REQUEST_INVALID */
  @Get(['assistants/:assistantId/subgraphs', 'assistants/:assistantId/subgraphs/:namespace'])
  @RefusedEndpoint()
  listSubgraphs(): never {
    throw refusal('Subgraphs are not listed. The nodes of the whole graph are in `…/graph`.');
  }

  /** @throws AppError REQUEST_INVALID */
  @Post(['runs/crons', 'runs/crons/search', 'runs/crons/count', 'threads/:threadId/runs/crons'])
  @RefusedEndpoint()
  useCrons(): never {
    throw noCrons();
  }

  /** @throws AppError REQUEST_INVALID */
  @Patch('runs/crons/:cronId')
  @RefusedEndpoint()
  changeCron(): never {
    throw noCrons();
  }

  /** @throws AppError REQUEST_INVALID */
  @Delete('runs/crons/:cronId')
  @RefusedEndpoint()
  deleteCron(): never {
    throw noCrons();
  }
}

function noCrons(): AppError {
  return refusal(
    'There are no crons. Start runs from a scheduler of your own; `after_seconds` delays a single run.',
  );
}

function refusal(sentence: string): AppError {
  return new AppError('REQUEST_INVALID', sentence);
}
