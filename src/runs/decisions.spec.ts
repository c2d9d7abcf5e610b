import { describe, expect, it } from '@jest/globals';
import type { RecordedDecision, RequestedApproval } from '../events/requested-input.js';
import { applyDecisions } from './decisions.js';

const YES: RecordedDecision = { decision: 'approve', by: 'ada', at: 1 };
const NO: RecordedDecision = { decision: 'deny', by: 'ada', at: 2 };

function approval(inputId: string, expiresAt?: number): RequestedApproval {
  return {
    inputId,
    kind: 'approval',
    toolCallId: `call-${inputId}`,
    stepId: 's1',
    toolName: 'mail',
    label: 'Send the mail?',
    input: {},
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

const BOTH = [approval('a', 50), approval('b', 90)];

describe('applyDecisions', () => {
  it('rejects an answer to a run that does not wait', () => {
    expect(applyDecisions({ runId: 'r1', answers: { a: YES } }, {})).toEqual({
      outcome: 'closed',
      lapsed: false,
    });
  });

  it('notes a decision and waits for the missing ones until the first of them expires', () => {
    const effect = applyDecisions({ runId: 'r1', answers: { a: YES } }, { inputs: BOTH });
    expect(effect).toEqual({
      outcome: 'noted',
      inputs: [{ ...BOTH[0], answer: YES }, BOTH[1]],
      awaitingUntil: 90,
      isComplete: false,
    });
  });

  it('completes the inputs with the last missing decision', () => {
    const inputs = [{ ...approval('a', 50), answer: YES }, approval('b', 90)];
    const effect = applyDecisions({ runId: 'r1', answers: { b: NO } }, { inputs });
    expect(effect).toMatchObject({ outcome: 'noted', isComplete: true, awaitingUntil: undefined });
  });

  it('refuses all decisions when one names no open call of the run', () => {
    const effect = applyDecisions({ runId: 'r1', answers: { a: YES, z: YES } }, { inputs: BOTH });
    expect(effect).toEqual({ outcome: 'unknown', inputId: 'z' });
  });

  it('refuses a decision that contradicts an earlier one', () => {
    const inputs = [{ ...approval('a'), answer: YES }];
    expect(applyDecisions({ runId: 'r1', answers: { a: NO } }, { inputs })).toEqual({
      outcome: 'conflict',
      inputId: 'a',
    });
  });

  it('changes nothing when a run was already continued', () => {
    const inputs = [{ ...approval('a'), answer: YES }];
    const found = { inputs, next: { resumeOf: 'r1' } };
    expect(applyDecisions({ runId: 'r1', answers: { a: YES } }, found)).toEqual({ outcome: 'continued' });
  });

  it.each([undefined, null, 'r0'])(
    'reports a run closed when another run came after it (resumeOf %s)',
    (resumeOf) => {
      const found = { inputs: BOTH, next: { resumeOf } };
      expect(applyDecisions({ runId: 'r1', answers: { a: YES } }, found)).toEqual({
        outcome: 'closed',
        lapsed: true,
      });
    },
  );
});
