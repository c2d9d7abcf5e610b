import { Catch, HttpException } from '@nestjs/common';
import { ProblemFilter } from '../../http/problem.filter.js';
import type { Problem } from '../../http/problem.js';
import type { WebResponse } from '../../http/web.exchange.js';

/** Not an error: on a route that can stream, the answer to a request that wants all of it at once. */
export class WholeAnswer extends HttpException {
  constructor(readonly answer: object) {
    super('', 200);
  }
}

/** Answers errors as OpenAI's clients read them: `error.message` is what they throw, the status decides whether they retry. */
@Catch()
export class OpenAiFilter extends ProblemFilter {
  protected override report(response: WebResponse, error: unknown): void {
    if (error instanceof WholeAnswer) this.adapterHost.httpAdapter.reply(response, error.answer, 200);
    else super.report(response, error);
  }

  protected override answer(response: WebResponse, problem: Problem): void {
    const { httpAdapter: http } = this.adapterHost;
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
