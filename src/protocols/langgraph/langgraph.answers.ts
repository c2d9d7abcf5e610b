import { z } from 'zod';
import { AppError } from '../../errors.js';
import type { Approval, ApprovalAnswer } from '../../events/approval.js';
import { validate } from '../../http/validate.js';
import type { Answers } from '../thread.approvals.js';

const actionSchema = z.looseObject({ name: z.string().optional(), args: z.record(z.string(), z.unknown()) });

/** Python writes `edited_action`, and some clients write both. */
const editSchema = z
  .looseObject({
    type: z.literal('edit'),
    editedAction: actionSchema.optional(),
    edited_action: actionSchema.optional(),
  })
  .transform(({ type, editedAction, edited_action }, context) => {
    const action = editedAction ?? edited_action;
    if (action) return { type, name: action.name, args: action.args };
    context.addIssue({ code: 'custom', message: 'Say what is edited', path: ['editedAction'] });
    return z.NEVER;
  });

/** A decision as LangChain's human-in-the-loop middleware knows them. */
const decisionSchema = z.union([
  z.object({ type: z.literal('approve') }),
  editSchema,
  z.object({ type: z.literal('reject'), message: z.string().max(1000).nullish() }),
]);
type Decision = z.output<typeof decisionSchema>;

const decisionsSchema = z.looseObject({ decisions: z.array(decisionSchema).min(1) });

/**
 * What a `resume` says of what is asked: a response by interrupt id, or the decisions on everything that still waits, in its order.
 *
 * @throws AppError REQUEST_INVALID
 */
export function answersOf(resume: unknown, asked: readonly Approval[]): Answers {
  if (isById(resume, asked)) {
    return Object.fromEntries(
      Object.entries(resume).map(([id, response]) => [id, answerOf(response, byId(asked, id))]),
    );
  }
  const { decisions } = validate(decisionsSchema, resume, 'resume');
  const waiting = asked.filter(({ answer }) => !answer);
  // Repeated, the same decisions are about what they were about before.
  const open = waiting.length > 0 ? waiting : asked;
  if (decisions.length !== open.length) {
    throw new AppError(
      'REQUEST_INVALID',
      `resume: Decide on ${open.length} calls, not on ${decisions.length}.`,
    );
  }
  return Object.fromEntries(
    open.map((approval, index) => [approval.approvalId, decided(decisions[index] as Decision, approval)]),
  );
}

/** What a response to one interrupt says; one of ours asks about one call. @throws AppError REQUEST_INVALID */
export function answerOf(
  response: unknown,
  approval: Pick<Approval, 'toolName'> | undefined,
): ApprovalAnswer {
  const { decisions } = validate(decisionsSchema, response, 'response');
  const [decision] = decisions;
  if (!decision || decisions.length > 1)
    throw new AppError('REQUEST_INVALID', 'decisions: An interrupt is about one call. Send one decision.');
  return decided(decision, approval);
}

function decided(decision: Decision, approval: Pick<Approval, 'toolName'> | undefined): ApprovalAnswer {
  if (decision.type === 'approve') return { decision: 'approve' };
  if (decision.type === 'reject') {
    const { message } = decision;
    return { decision: 'deny', ...(message && { reason: message }) };
  }
  const { name, args } = decision;
  if (name !== undefined && approval && name !== approval.toolName) {
    const fault = `Only the arguments can be edited; the call is of '${approval.toolName}'.`;
    throw new AppError('REQUEST_INVALID', `editedAction: ${fault}`);
  }
  return { decision: 'edit', input: args };
}

function isById(resume: unknown, asked: readonly Approval[]): resume is Record<string, unknown> {
  return isRecord(resume) && Object.keys(resume).some((id) => byId(asked, id) !== undefined);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byId(asked: readonly Approval[], id: string): Approval | undefined {
  return asked.find(({ approvalId }) => approvalId === id);
}
