import { describe, expect, it } from '@jest/globals';
import type { RequestedApproval } from '../../events/requested-input.js';
import { toDecision, parseDecisions } from './langgraph-decisions.js';

const approval = (inputId: string, isAnswered = false): RequestedApproval => ({
  inputId,
  kind: 'approval',
  toolCallId: `call-${inputId}`,
  toolName: 'pay',
  stepId: 'step',
  label: 'Paying…',
  input: {},
  ...(isAnswered && { answer: { decision: 'approve', by: 'ann', at: 1 } }),
});

const approve = { type: 'approve' };
const edit = { type: 'edit', editedAction: { name: 'pay', args: { sum: 4 } } };
const reject = { type: 'reject', message: 'No.' };

describe('parseDecisions and toDecision', () => {
  it.each([
    [approve, { decision: 'approve' }],
    [edit, { decision: 'edit', input: { sum: 4 } }],
    [
      { type: 'edit', edited_action: { args: {} } },
      { decision: 'edit', input: {} },
    ],
    [reject, { decision: 'deny', reason: 'No.' }],
    [{ type: 'reject' }, { decision: 'deny' }],
  ])('reads the decision %j as LangChain means it', (decision, answer) => {
    expect(toDecision({ decisions: [decision] }, approval('a'))).toEqual(answer);
  });

  it('assigns decisions to the interrupts that they name', () => {
    const asked = [approval('a'), approval('b')];
    const resume = { b: { decisions: [reject] }, a: { decisions: [approve] } };
    expect(parseDecisions(resume, asked)).toEqual({
      a: { decision: 'approve' },
      b: { decision: 'deny', reason: 'No.' },
    });
  });

  it('assigns decisions without names to the open inputs in order, also when repeated', () => {
    const resume = { decisions: [approve, reject] };
    const answers = { b: { decision: 'approve' }, c: { decision: 'deny', reason: 'No.' } };
    expect(parseDecisions(resume, [approval('a', true), approval('b'), approval('c')])).toEqual(answers);
    expect(parseDecisions(resume, [approval('b', true), approval('c', true)])).toEqual(answers);
  });

  it.each([
    ['nothing that decides', 'yes'],
    ['no decision', { decisions: [] }],
    ['fewer decisions than calls', { decisions: [approve] }],
    ['an unknown decision', { decisions: [{ type: 'maybe' }, approve] }],
    ['an edit without arguments', { decisions: [{ type: 'edit' }, approve] }],
    ['another tool', { decisions: [{ type: 'edit', editedAction: { name: 'steal', args: {} } }, approve] }],
    ['two decisions for one call', { a: { decisions: [approve, approve] } }],
  ])('refuses a resume with %s', (_what, resume) => {
    expect(() => parseDecisions(resume, [approval('a'), approval('b')])).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });
});
