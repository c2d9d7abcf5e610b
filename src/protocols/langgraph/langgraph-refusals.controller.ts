import { applyDecorators, Controller, Delete, Patch, Post } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { AppError } from '../../errors.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';

const RefusedEndpoint = () =>
  applyDecorators(
    ApiExcludeEndpoint(),
    LangGraphEndpoint({
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
