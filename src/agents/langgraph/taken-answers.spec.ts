import { describe, expect, it } from '@jest/globals';
import type { CheckpointTuple } from '@langchain/langgraph-checkpoint';
import type { AnsweredInput } from '../../events/requested-input.js';
import { withoutTakenAnswers } from './graph-interrupts.js';

const answered = (inputId: string): AnsweredInput => ({
  kind: 'interrupt',
  inputId,
  stepId: 'task',
  value: 'Well?',
  answer: { decision: 'answer', value: 'yes', by: 'ann', at: 1 },
});

describe('answers to a graph', () => {
  it.each([
    ['in a list', [{ id: 'later' }, { id: 'other' }]],
    ['one by one, as LangGraph wrote them before', { id: 'later' }, { id: 'other' }],
  ])(
    'are not given twice to a task that has asked for more, with its interrupts %s',
    (_name, ...interrupts) => {
      const tuple = {
        pendingWrites: [
          ...interrupts.map((value) => ['task', '__interrupt__', value]),
          ['task', '__resume__', ['first', 'second']],
        ],
      } as unknown as CheckpointTuple;
      const kept = (asked: AnsweredInput) =>
        withoutTakenAnswers(tuple, new Map([[asked.inputId, asked]])).pendingWrites?.at(-1)?.[2];
      expect(kept(answered('taken'))).toEqual(['first']);
      expect(kept(answered('other'))).toEqual(['first', 'second']);
    },
  );
});
