import { describe, expect, it } from '@jest/globals';
import type { Approval } from '../../events/approval.js';
import { answerOf, answersOf } from './langgraph.answers.js';

const approval = (approvalId: string, isAnswered = false): Approval => ({
  approvalId,
  toolCallId: `call-${approvalId}`,
  toolName: 'pay',
  stepId: 'step',
  label: 'Paying…',
  input: {},
  ...(isAnswered && { answer: { decision: 'approve', by: 'ann', at: 1 } }),
});

const approve = { type: 'approve' };
const edit = { type: 'edit', editedAction: { name: 'pay', args: { sum: 4 } } };
const reject = { type: 'reject', message: 'No.' };

describe('what a resume says', () => {
  it.each([
    [approve, { decision: 'approve' }],
    [edit, { decision: 'edit', input: { sum: 4 } }],
    [
      { type: 'edit', edited_action: { args: {} } },
      { decision: 'edit', input: {} },
    ],
    [reject, { decision: 'deny', reason: 'No.' }],
    [{ type: 'reject' }, { decision: 'deny' }],
  ])('is for %j what LangChain means by it', (decision, answer) => {
    expect(answerOf({ decisions: [decision] }, approval('a'))).toEqual(answer);
  });

  it('is about the interrupts that it names', () => {
    const asked = [approval('a'), approval('b')];
    const resume = { b: { decisions: [reject] }, a: { decisions: [approve] } };
    expect(answersOf(resume, asked)).toEqual({
      a: { decision: 'approve' },
      b: { decision: 'deny', reason: 'No.' },
    });
  });

  it('is about all that waits, in its order, when it names none; and about the same when it is repeated', () => {
    const resume = { decisions: [approve, reject] };
    const answers = { b: { decision: 'approve' }, c: { decision: 'deny', reason: 'No.' } };
    expect(answersOf(resume, [approval('a', true), approval('b'), approval('c')])).toEqual(answers);
    expect(answersOf(resume, [approval('b', true), approval('c', true)])).toEqual(answers);
  });

  it.each([
    ['nothing that decides', 'yes'],
    ['no decision', { decisions: [] }],
    ['fewer decisions than calls', { decisions: [approve] }],
    ['an unknown decision', { decisions: [{ type: 'maybe' }, approve] }],
    ['an edit without arguments', { decisions: [{ type: 'edit' }, approve] }],
    ['another tool', { decisions: [{ type: 'edit', editedAction: { name: 'steal', args: {} } }, approve] }],
    ['two decisions for one call', { a: { decisions: [approve, approve] } }],
  ])('is refused with %s', (_what, resume) => {
    expect(() => answersOf(resume, [approval('a'), approval('b')])).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });
});
