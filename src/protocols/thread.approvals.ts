import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Approval, ApprovalAnswer } from '../events/approval.js';
import type { Principal } from '../principal.js';
import { ApprovalService, type Decided } from '../runs/approval.service.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run.store.js';
import { ThreadService } from '../runs/thread.service.js';

/** What people say to calls that wait for them, by approval id. */
export type Answers = Readonly<Record<string, ApprovalAnswer>>;

/** A run whose approvals are further back than this in its thread has been passed by long ago. */
const NEWEST = 20;

/** Approvals as protocols know them that speak of conversations: who answers names the thread, and not the run that asked. */
@Injectable()
export class ThreadApprovals {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly threads: ThreadService,
    private readonly runs: RunStore,
  ) {}

  /**
   * Gives answers to the run of the thread that asked: all or none.
   *
   * @throws AppError NOT_FOUND for a thread or an approval, and what {@link ApprovalService.answer} refuses
   */
  async answer(principal: Principal, threadId: string, answers: Answers): Promise<Decided> {
    const run = await this.asker(principal, threadId, Object.keys(answers));
    return this.approvals.answer(principal, run.id, answers);
  }

  /**
   * The same for protocols in which each answer is answered by a run: nothing may be left open.
   *
   * @returns the run that goes on
   * @throws AppError as {@link ThreadApprovals.answer}; REQUEST_INVALID when an answer is missing
   */
  async answerAll(principal: Principal, threadId: string, answers: Answers): Promise<Run> {
    return this.finish(principal, await this.asker(principal, threadId, Object.keys(answers)), answers);
  }

  /** As {@link ThreadApprovals.answerAll}, where the run is known. */
  async finish(principal: Principal, run: Run, answers: Answers): Promise<Run> {
    const missing = openIn(run).filter(({ approvalId }) => !Object.hasOwn(answers, approvalId));
    if (missing.length > 0) {
      const ids = missing.map(({ approvalId }) => `'${approvalId}'`).join(', ');
      throw new AppError('REQUEST_INVALID', `Answer everything that is asked; missing: ${ids}.`);
    }
    const { continuedBy } = await this.approvals.answer(principal, run.id, answers);
    if (!continuedBy) throw new AppError('APPROVAL_CLOSED', `Nothing is asked in run '${run.id}'.`);
    return continuedBy;
  }

  /** The run of the thread that stopped for approvals last. @throws AppError NOT_FOUND when none did */
  async lastAsker(principal: Principal, threadId: string): Promise<Run> {
    const asker = (await this.newest(principal, threadId)).find(({ approvals = [] }) => approvals.length > 0);
    if (asker) return asker;
    throw new AppError('NOT_FOUND', `Nothing is asked in thread '${threadId}'.`);
  }

  private async asker(principal: Principal, threadId: string, approvalIds: readonly string[]): Promise<Run> {
    const runs = await this.newest(principal, threadId);
    const asker = runs.find(({ approvals = [] }) =>
      approvals.some(({ approvalId }) => approvalIds.includes(approvalId)),
    );
    if (asker) return asker;
    const ids = approvalIds.map((approvalId) => `'${approvalId}'`).join(', ');
    throw new AppError('NOT_FOUND', `Nothing is asked in thread '${threadId}' under ${ids}.`);
  }

  /** @throws AppError NOT_FOUND */
  private async newest(principal: Principal, threadId: string): Promise<readonly Run[]> {
    await this.threads.get(principal, threadId);
    return (await this.runs.listRuns(threadId, { limit: NEWEST })).items;
  }
}

/** What still waits for an answer. */
export function openIn({ approvals = [] }: Pick<Run, 'approvals'>): readonly Approval[] {
  return approvals.filter(({ answer }) => !answer);
}

/** The ids of what was answered already. */
export function answeredIn({ approvals = [] }: Pick<Run, 'approvals'>): ReadonlySet<string> {
  return new Set(approvals.flatMap(({ approvalId, answer }) => (answer ? [approvalId] : [])));
}
