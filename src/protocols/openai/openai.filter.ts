import { Catch } from '@nestjs/common';
import { ProblemFilter } from '../../http/problem.filter.js';
import type { Problem } from '../../http/problem.js';
import type { WebResponse } from '../../http/http.types.js';

/** Replies to errors as OpenAI's clients read them: `error.message` is what they throw, the status decides whether they retry. */
@Catch()
export class OpenAiFilter extends ProblemFilter {
  protected override reply(response: WebResponse, problem: Problem): void {
    const { httpAdapter: http } = this.adapterHost;
    // The clients repeat what failed with a 5xx, which would start the run again.
    if (problem.code === 'RUN_FAILED') http.setHeader(response, 'X-Should-Retry', 'false');
    const { code, detail: message } = problem;
    const body = { error: { message, type: getType(problem), code, param: null } };
    http.reply(response, body, problem.status);
  }
}

function getType({ status }: Problem): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
