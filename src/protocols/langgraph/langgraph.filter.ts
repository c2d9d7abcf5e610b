import { Catch } from '@nestjs/common';
import { AppError, MissingError } from '../../errors.js';
import type { WebResponse } from '../../http/http.types.js';
import { ProblemFilter } from '../../http/problem.filter.js';
import type { Problem } from '../../http/problem.js';

/** Statuses that LangGraph's server has a sentence for. Its clients put the body of a reply into the error that people read. */
export const TEXT_STATUSES: readonly number[] = [404, 409];

/** The header with the code of a problem whose body is a sentence. */
export const PROBLEM_CODE = 'Problem-Code';

/** Replies to errors as LangGraph's server does: with a sentence where it has one, and otherwise with a problem document. */
@Catch()
export class LangGraphFilter extends ProblemFilter {
  protected override report(response: WebResponse, error: unknown): void {
    super.report(
      response,
      error instanceof MissingError ? new AppError(error.code, nameMissing(error)) : error,
    );
  }

  protected override reply(response: WebResponse, problem: Problem): void {
    if (!TEXT_STATUSES.includes(problem.status)) return super.reply(response, problem);
    const { httpAdapter: http } = this.adapterHost;
    http.setHeader(response, 'Content-Type', 'text/plain; charset=utf-8');
    http.setHeader(response, PROBLEM_CODE, problem.code);
    http.reply(response, problem.detail, problem.status);
  }
}

/** Replies to a copy of something that the caller does not have as LangGraph's server does, with 409. */
@Catch()
export class LangGraphCopyFilter extends LangGraphFilter {
  protected override reply(response: WebResponse, problem: Problem): void {
    super.reply(response, problem.status === 404 ? { ...problem, status: 409 } : problem);
  }
}

/** Returns the words of LangGraph's server. */
export function nameMissing({ kind, id }: MissingError): string {
  switch (kind) {
    case 'assistant':
      return 'Assistant not found';
    case 'run':
      return 'Run not found';
    case 'thread':
      return `Thread with ID ${id} not found`;
    default:
      return kind satisfies never;
  }
}
