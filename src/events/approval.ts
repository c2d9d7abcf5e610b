import type { ApprovalRequest } from './run-event.js';

/** What a person says to a tool call that waits for them. */
export interface ApprovalAnswer {
  readonly decision: 'approve' | 'edit' | 'deny';
  /** With `edit`: the arguments that the tool is called with, in place of the model's. */
  readonly input?: unknown;
  /** With `deny`: why not. The model reads it. */
  readonly reason?: string;
}

/** An answer, and whose it is: a user id, or {@link NOBODY_IN_TIME}. `at` is milliseconds since the epoch. */
export interface GivenAnswer extends ApprovalAnswer {
  readonly by: string;
  readonly at: number;
}

/** A tool call that its run stopped for, with the answer once there is one. */
export type Approval = Omit<ApprovalRequest, 'type'> & { readonly answer?: GivenAnswer };

/** Who denies what has waited for too long. */
export const NOBODY_IN_TIME = 'expiry';

export type Answered =
  | { readonly outcome: 'answered'; readonly approvals: readonly Approval[] }
  /** There is no such approval in the run. */
  | { readonly outcome: 'unknown'; readonly approvalId: string }
  /** It was decided before, otherwise. */
  | { readonly outcome: 'conflict'; readonly approvalId: string };

/** The approvals with these answers, all of them or none. The first answer stands; giving it again changes nothing. */
export function withAnswers(
  approvals: readonly Approval[],
  answers: Readonly<Record<string, GivenAnswer>>,
): Answered {
  for (const [approvalId, answer] of Object.entries(answers)) {
    const approval = approvals.find((each) => each.approvalId === approvalId);
    if (!approval) return { outcome: 'unknown', approvalId };
    if (approval.answer && !isSame(approval.answer, answer)) return { outcome: 'conflict', approvalId };
  }
  return {
    outcome: 'answered',
    approvals: approvals.map((approval) => {
      const answer = approval.answer ?? answers[approval.approvalId];
      return answer ? { ...approval, answer } : approval;
    }),
  };
}

/** True once every call has its answer: the run can be continued. */
export function isDecided(approvals: readonly Approval[]): boolean {
  return approvals.every(({ answer }) => answer !== undefined);
}

/** When the first of those that still wait expires, in milliseconds since the epoch; undefined: never. */
export function expiryOf(approvals: readonly Approval[]): number | undefined {
  const times = approvals.flatMap(({ answer, expiresAt }) => (answer ? [] : (expiresAt ?? [])));
  return times.length > 0 ? Math.min(...times) : undefined;
}

function isSame(one: ApprovalAnswer, other: ApprovalAnswer): boolean {
  return one.decision === other.decision && JSON.stringify(one.input) === JSON.stringify(other.input);
}
