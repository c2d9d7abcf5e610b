import { describe, expect, it } from '@jest/globals';
import type { AnsweredInput } from '../events/requested-input.js';
import { openingEvents, type OpeningState } from './opening-events.js';
import { NOTHING_OPEN } from './open-items.js';
import { toCreatedRun } from './new-run.js';
import { newRun } from '../testing/storage/storage-samples.js';

const FIRST: OpeningState = { open: NOTHING_OPEN, answered: [], attempt: 1 };
const stored = toCreatedRun(newRun('run'), { threadKey: 'key', at: 1_000, epoch: 1 });

describe('openingEvents', () => {
  it('says how long the run waited for its first owner', () => {
    const { startedAt: _, ...queued } = stored;
    expect(openingEvents({ ...queued, startedAt: 3_500 }, FIRST)).toMatchObject([
      { type: 'run-start', queuedMs: 2_500 },
    ]);
  });

  it('says nothing of a queue for a run that began where it was asked for, or whose owner has a slower clock', () => {
    for (const startedAt of [1_000, 900])
      expect(openingEvents({ ...stored, startedAt }, FIRST)[0]).not.toHaveProperty('queuedMs');
  });

  it('says with which arguments a call was approved', () => {
    const asked = {
      kind: 'approval',
      stepId: 's1',
      toolCallId: 'c1',
      toolName: 'pay',
      label: 'Paying…',
      input: { amount: 50 },
    } as const;
    const answered: AnsweredInput[] = [
      { ...asked, inputId: 'i1', answer: { decision: 'edit', input: { amount: 5 }, by: 'ann', at: 1 } },
      { ...asked, inputId: 'i2', answer: { decision: 'approve', by: 'ann', at: 1 } },
    ];
    const [, edited, approved] = openingEvents(stored, { ...FIRST, answered });
    expect(edited).toMatchObject({ inputId: 'i1', decision: 'edit', input: { amount: 5 } });
    expect(approved).not.toHaveProperty('input');
  });
});
