import { z } from 'zod';
import { AppError } from '../../errors.js';
import type { ApprovalDecision, InputAnswer, RequestedInput } from '../../events/requested-input.js';
import { validate } from '../../http/validate.js';
import type { Decisions } from '../thread-inputs.js';
import { spellAnswer } from './review-spellings.js';

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
    context.addIssue({ code: 'custom', message: 'Send the edited action', path: ['editedAction'] });
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
 * Parses a `resume`: a response by interrupt id, the one value that is waited for, or the decisions on all waiting calls in order.
 *
 * @throws AppError REQUEST_INVALID
 */
export function parseDecisions(resume: unknown, approvals: readonly RequestedInput[]): Decisions {
  if (isDecisionsById(resume, approvals)) {
    return Object.fromEntries(
      Object.entries(resume).map(([id, response]) => [
        id,
        toDecision(response, findInterrupt(approvals, id)),
      ]),
    );
  }
  const waiting = approvals.filter(({ answer }) => !answer);
  // Repeated, the same decisions are about what they were about before.
  const open = waiting.length > 0 ? waiting : approvals;
  const [only] = open;
  if (only && open.length === 1 && only.kind !== 'approval')
    return { [only.inputId]: toDecision(resume, only) };
  if (open.some(({ kind }) => kind !== 'approval')) {
    const ids = open.map(({ inputId }) => inputId).join(', ');
    throw new AppError(
      'REQUEST_INVALID',
      `resume: Several interrupts are open. Send the answers by interrupt id: ${ids}.`,
    );
  }
  const { decisions } = validate(decisionsSchema, resume, 'resume');
  if (decisions.length !== open.length) {
    throw new AppError(
      'REQUEST_INVALID',
      `resume: Send ${open.length} decisions, one for each call that waits, not ${decisions.length}.`,
    );
  }
  return Object.fromEntries(
    open.map((approvals, index) => [
      approvals.inputId,
      parseDecision(decisions[index] as Decision, approvals),
    ]),
  );
}

/** Parses a response to one interrupt. Each of our interrupts asks about one call. @throws AppError REQUEST_INVALID */
export function toDecision(response: unknown, asked: RequestedInput | undefined): InputAnswer {
  if (asked?.kind === 'interrupt')
    return { decision: 'answer', value: spellAnswer(asked.value, response) ?? null };
  if (asked && asked.kind !== 'approval') return { decision: 'answer', value: response ?? null };
  const { decisions } = validate(decisionsSchema, response, 'response');
  const [decision] = decisions;
  if (!decision || decisions.length > 1)
    throw new AppError('REQUEST_INVALID', 'decisions: Send one decision. An interrupt is about one call.');
  return parseDecision(decision, asked);
}

function parseDecision(decision: Decision, asked: RequestedInput | undefined): ApprovalDecision {
  if (decision.type === 'approve') return { decision: 'approve' };
  if (decision.type === 'reject') {
    const { message } = decision;
    return { decision: 'deny', ...(message && { reason: message }) };
  }
  const { name, args } = decision;
  if (name !== undefined && asked?.kind === 'approval' && name !== asked.toolName) {
    const fault = `Leave the name of the action at '${asked.toolName}'. Only its arguments can be edited.`;
    throw new AppError('REQUEST_INVALID', `editedAction: ${fault}`);
  }
  return { decision: 'edit', input: args };
}

function isDecisionsById(
  resume: unknown,
  approvals: readonly RequestedInput[],
): resume is Record<string, unknown> {
  return isRecord(resume) && Object.keys(resume).some((id) => findInterrupt(approvals, id) !== undefined);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function findInterrupt(approvals: readonly RequestedInput[], id: string): RequestedInput | undefined {
  return approvals.find(({ inputId }) => inputId === id);
}
