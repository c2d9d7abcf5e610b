import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError } from '../../errors.js';
import { toProblem, type Problem } from '../../http/problem.js';
import { rawResponse, type WebResponse } from '../../http/web.exchange.js';

/** Not an error: on a route that can stream, the answer to a request that wants all of it at once. */
export class WholeAnswer extends HttpException {
  constructor(readonly answer: object) {
    super('', 200);
  }
}

/** Answers errors as OpenAI's clients read them: `error.message` is what they throw, the status decides whether they retry. */
@Catch()
export class OpenAiFilter implements ExceptionFilter {
  private readonly logger = new Logger(OpenAiFilter.name);

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<WebResponse>();
    const { httpAdapter: http } = this.adapterHost;
    // Whoever asked may have left while the answer was made.
    if (http.isHeadersSent(response) || rawResponse(response).destroyed) return;
    if (error instanceof WholeAnswer) {
      http.reply(response, error.answer, 200);
      return;
    }
    const problem = toProblem(error);
    if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, 'The request failed.');
    const { retryAfterSeconds } = error instanceof AppError ? (error.options.details ?? {}) : {};
    if (typeof retryAfterSeconds === 'number')
      http.setHeader(response, 'Retry-After', String(retryAfterSeconds));
    // The clients repeat what failed with a 5xx, which would start the run again.
    if (problem.code === 'RUN_FAILED') http.setHeader(response, 'X-Should-Retry', 'false');
    const { code, detail: message } = problem;
    const body = { error: { message, type: typeOf(problem), code, param: null } };
    http.reply(response, body, problem.status);
  }
}

function typeOf({ status }: Problem): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
