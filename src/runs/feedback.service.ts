import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import type { Metrics } from '../telemetry/metrics.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import { FEEDBACK_CHARACTERS, type FeedbackRequest, type GivenFeedback, type Rating } from './feedback.js';
import type { RunHookCalls } from './run.hooks.js';
import type { Oversight } from './run-oversight.service.js';
import type { ListedRun, Run } from './run.js';
import type { RunService } from './run.service.js';
import type { Page, RunStore } from './run.store.js';

/** Feedback to find. What is absent excludes none. */
export interface FeedbackFilter extends FeedbackRequest {
  readonly agent?: string;
  readonly rating?: Rating;
}

/** Judgements of people on the answers that they got. They are not part of a run's log: a person may change their mind long after its end. */
@Injectable()
export class FeedbackService {
  constructor(
    private readonly runs: RunStore,
    private readonly service: Pick<RunService, 'get'>,
    private readonly hooks: RunHookCalls,
    private readonly metrics?: Metrics,
  ) {}

  /**
   * Stores the principal's judgement on a run in the place of an earlier one.
   *
   * @throws AppError NOT_FOUND, or REQUEST_INVALID if its words are too long
   */
  async give(principal: Principal, runId: string, { rating, comment = '' }: GivenFeedback): Promise<Run> {
    if (comment.length > FEEDBACK_CHARACTERS)
      throw new AppError(
        'REQUEST_INVALID',
        `comment: Feedback may have at most ${FEEDBACK_CHARACTERS} characters. Shorten it.`,
      );
    const words = comment.trim();
    const before = await this.service.get(principal, runId);
    const run = await this.store(runId, { rating, ...(words && { comment: words }) });
    if (before.feedback?.rating !== rating)
      this.metrics?.count('feedback', 1, { [ATTRIBUTES.agent]: run.agent, [ATTRIBUTES.rating]: rating });
    return run;
  }

  /**
   * Removes the principal's judgement on a run. Harmless when repeated.
   *
   * @throws AppError NOT_FOUND
   */
  async withdraw(principal: Principal, runId: string): Promise<void> {
    const { feedback } = await this.service.get(principal, runId);
    if (feedback) await this.store(runId, undefined);
  }

  /**
   * Lists everybody's feedback in this oversight, in the order of its last change. Each page looks at as many runs as its limit: it may have fewer
   * that fit, and another after it.
   */
  async list({ tenant }: Oversight, { agent, rating, ...page }: FeedbackFilter): Promise<Page<ListedRun>> {
    if (tenant !== undefined && (page.tenant ?? tenant) !== tenant) return { items: [] };
    const { items, ...rest } = await this.runs.listFeedback({
      ...page,
      ...(tenant !== undefined && { tenant }),
    });
    const fits = (run: ListedRun) =>
      (agent === undefined || run.agent === agent) &&
      (rating === undefined || run.feedback?.rating === rating);
    return { items: items.filter(fits), ...rest };
  }

  private async store(runId: string, feedback: GivenFeedback | undefined): Promise<Run> {
    const run = await this.runs.setFeedback(runId, feedback);
    // Its thread has been deleted meanwhile.
    if (!run) throw new AppError('NOT_FOUND', `There is no run '${runId}'.`);
    this.hooks.feedbackChanged(run);
    return run;
  }
}
