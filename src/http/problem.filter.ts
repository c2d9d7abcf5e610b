import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../errors.js';
import { toProblem } from './problem.js';

/** Not an error: the stream that was asked for has nothing more to say, now or ever. EventSource stops at a 204. */
export class NothingMore extends HttpException {
  constructor() {
    super('', 204);
  }
}

/** Answers every error before a stream as `application/problem+json` (RFC 9457). What nobody expected is logged whole. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return;
    if (error instanceof NothingMore) {
      response.status(204).end();
      return;
    }
    const problem = toProblem(error);
    if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, 'The request failed.');
    const { retryAfterSeconds } = error instanceof AppError ? (error.options.details ?? {}) : {};
    if (typeof retryAfterSeconds === 'number') response.setHeader('Retry-After', String(retryAfterSeconds));
    if (problem.status === 401 && !response.hasHeader('WWW-Authenticate'))
      response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
