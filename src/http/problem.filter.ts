import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError } from '../errors.js';
import { toProblem, type Problem } from './problem.js';
import { rawResponse, type WebResponse } from './web.exchange.js';

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

  constructor(protected readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<WebResponse>();
    const { httpAdapter: http } = this.adapterHost;
    // Whoever asked may have left while the answer was made.
    if (http.isHeadersSent(response) || rawResponse(response).destroyed) return;
    if (error instanceof NothingMore) http.reply(response, undefined, 204);
    else this.report(response, error);
  }

  /** For protocols in which more than problems is thrown. */
  protected report(response: WebResponse, error: unknown): void {
    const { httpAdapter: http } = this.adapterHost;
    const problem = toProblem(error);
    if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, 'The request failed.');
    const { retryAfterSeconds } = error instanceof AppError ? (error.options.details ?? {}) : {};
    if (typeof retryAfterSeconds === 'number')
      http.setHeader(response, 'Retry-After', String(retryAfterSeconds));
    if (problem.status === 401 && http.getHeader(response, 'WWW-Authenticate') === undefined)
      http.setHeader(response, 'WWW-Authenticate', 'Bearer');
    this.answer(response, problem);
  }

  /** For protocols that say a problem in words of their own. */
  protected answer(response: WebResponse, problem: Problem): void {
    const { httpAdapter: http } = this.adapterHost;
    http.setHeader(response, 'Content-Type', 'application/problem+json');
    http.reply(response, JSON.stringify(problem), problem.status);
  }
}
