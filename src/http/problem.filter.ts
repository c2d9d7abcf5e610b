import {
  Catch,
  HttpException,
  Logger,
  Optional,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError } from '../errors.js';
import { SecurityLog } from '../security/security-log.service.js';
import { ErrorListener } from './error-listener.js';
import { toProblem, type Problem } from './problem.js';
import { describeRefused, toSecurityEvent } from './refusals.js';
import { rawResponse, type WebResponse } from './http.types.js';

/** Not an error: the stream that was asked for has nothing more to say, now or ever. EventSource stops at a 204. */
export class NoMoreEvents extends HttpException {
  constructor() {
    super('', 204);
  }
}

/**
 * Answers every error before a stream as `application/problem+json` (RFC 9457). Unexpected errors are logged whole; what refuses
 * a caller is recorded as a security event.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(
    protected readonly adapterHost: HttpAdapterHost,
    @Optional() private readonly security?: SecurityLog,
    @Optional() private readonly errors?: ErrorListener,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const refusal = toSecurityEvent(error, describeRefused(host.switchToHttp().getRequest<object>()));
    if (refusal) this.security?.record(refusal);
    if (!(error instanceof NoMoreEvents) && toProblem(error).status >= 500)
      this.errors?.tell(error, host.switchToHttp().getRequest<object>());
    const response = host.switchToHttp().getResponse<WebResponse>();
    const { httpAdapter: http } = this.adapterHost;
    // The client may have left while the reply was made.
    if (http.isHeadersSent(response) || rawResponse(response).destroyed) return;
    if (error instanceof NoMoreEvents) http.reply(response, undefined, 204);
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
    this.reply(response, problem);
  }

  /** For protocols that say a problem in words of their own. */
  protected reply(response: WebResponse, problem: Problem): void {
    const { httpAdapter: http } = this.adapterHost;
    http.setHeader(response, 'Content-Type', 'application/problem+json');
    http.reply(response, JSON.stringify(problem), problem.status);
  }
}
