import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import type { AnsweredInput } from '../../events/requested-input.js';
import { resumeWith } from './graph-interrupts.js';

const ID = 'a'.repeat(32);
const card = { type: 'ai', id: 'card', content: 'Review.' };
const added = [{ id: 'card', role: 'assistant', text: 'Review.', original: card } as const];
const answered = (inputId: string, more: object = {}): AnsweredInput => ({
  kind: 'interrupt',
  inputId,
  stepId: 'task',
  value: 'Well?',
  answer: { decision: 'answer', value: 'yes', by: 'ann', at: 1, ...more },
});
const decisions = (...inputs: AnsweredInput[]) => new Map(inputs.map((asked) => [asked.inputId, asked]));

describe('answers to a graph', () => {
  it('bring their messages until the state has them, and to no later owner whose run has stored something', () => {
    const given = decisions(answered(ID, { added }));
    const command = { resume: { [ID]: 'yes' } };
    expect(resumeWith(given, { seen: [] }, 'run')).toMatchObject({
      ...command,
      update: { messages: [card] },
    });
    const has = { seen: [new AIMessage(card)] };
    for (const thread of [has, { seen: [], runId: 'run' }]) {
      const again = resumeWith(given, thread, 'run');
      expect(again).toMatchObject(command);
      expect(again?.update).toBeUndefined();
    }
  });
});
